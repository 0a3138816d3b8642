import ContentHashing
import DurableFiles
import Foundation
import PairDataset
import TestTools
import Testing

/// Our shards in the hands of GNU tar, bsdtar, Python's tarfile and webdataset, and theirs in ours.
@Suite struct ShardPeerTests {
  let folder: String
  let pairs: [Pair]

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-peers-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
    var pairs = (0..<40).map { TestPairs.pair($0) }
    // Names of every kind: too long for ustar, with a prefix, not ASCII, both.
    pairs[1].key = String(repeating: "k", count: 130)
    pairs[2].key = String(repeating: "p", count: 140) + "/" + String(repeating: "q", count: 90)
    pairs[3].key = "größe/bild"
    pairs[4].key = String(repeating: "写", count: 60)
    pairs[5].key = String(repeating: "x", count: 96)  // 100 bytes with its ending, to the brim
    self.pairs = pairs
  }

  private func shard(_ compression: ShardCompression) throws -> String {
    let writer = try ShardWriter(folder: folder, name: "00000", compression: compression)
    for pair in pairs { try writer.append(pair) }
    return folder + "/" + (try writer.finish().file)
  }

  /// `NAME SHA-256` of every member, as it must come out.
  private var listing: [String] {
    pairs.flatMap { pair in
      pair.sample.members.map {
        "\(pair.key).\($0.suffix) \(ContentHash.sha256Hex($0.data))"
      }
    }
  }

  @Test(
    "bsdtar and GNU tar unpack every member, plain and through lz4", arguments: ["bsdtar", "tar"])
  func tars(tool: String) throws {
    for compression in ShardCompression.allCases {
      let path = try shard(compression)
      let out = "\(folder)/\(tool)-\(compression)"
      try DurableFile.makeFolder(out)
      let read = compression == .lz4 ? "lz4 -dc" : "cat"
      let warnings = try ShardTools.run(
        "\(read) '\(path)' | (cd '\(out)' && LC_ALL=C.UTF-8 \(tool) -xf -)")
      #expect(warnings.isEmpty)
      for pair in pairs {
        for member in pair.sample.members {
          #expect(try DurableFile.read("\(out)/\(pair.key).\(member.suffix)") == member.data)
        }
      }
      let long = try ShardTools.run(
        "\(read) '\(path)' | LC_ALL=C.UTF-8 TZ=UTC \(tool) -tvf - --numeric-owner")
      let lines = long.split(separator: "\n")
      #expect(lines.count == listing.count)
      #expect(lines.allSatisfy { $0.hasPrefix("-rw-r--r--") && $0.contains("1970") })
    }
  }

  /// What a script prints, run by the peers' Python.
  static func run(_ script: String, _ arguments: [String]) async throws -> String {
    try await run(try #require(PeerPython.path), script, arguments)
  }

  /// The same, by any Python: each has tarfile.
  static func tarfile(_ script: String, _ arguments: [String]) async throws -> String {
    try await run(PeerPython.path ?? "/usr/bin/python3", script, arguments)
  }

  private static func run(
    _ python: String, _ script: String, _ arguments: [String]
  ) async throws -> String {
    try await ScratchFolder.use { folder in
      // A file: img2dataset's processes import it.
      let file = folder + "/script.py"
      try DurableFile.write(script, to: file)
      return try await ChildProgram.run(python, ["-W", "ignore", file] + arguments).text
    }
  }

  @Test("a shard's header says ustar, and pax only where a name needs it")
  func formats() async throws {
    let script = """
      import hashlib, sys, tarfile
      tar = tarfile.open(sys.argv[1], 'r|')
      for m in tar:
          assert (m.mtime, m.uid, m.gid, m.mode, m.uname, m.gname) == (0, 0, 0, 0o644, '', ''), m
          print(m.name, hashlib.sha256(tar.extractfile(m).read()).hexdigest(), sorted(m.pax_headers))
      """
    let lines = try await Self.tarfile(script, [try shard(.none)])
      .split(separator: "\n")
    let expected = zip(pairs.flatMap { pair in pair.sample.members.map { _ in pair.key } }, listing)
      .map { key, line in
        let name = line.split(separator: " ")[0]
        // A prefix of up to 155 bytes before a slash leaves 100 for the rest.
        let isShort = name.utf8.count <= 100 || key.contains("/ppp") || key.hasPrefix("ppp")
        let needsPax = name.utf8.contains { $0 >= 0x80 } || !isShort
        return "\(line) \(needsPax ? "['path']" : "[]")"
      }
    #expect(lines.map(String.init) == expected)
  }

  @Test("a shard of plain names is, byte for byte, the ustar archive that Python makes")
  func bytesOfUstar() async throws {
    let writer = try ShardWriter(folder: folder, name: "u", compression: .none)
    for number in 0..<5 { try writer.append(TestPairs.pair(number, bytes: 700)) }
    let path = folder + "/" + (try writer.finish().file)
    let script = """
      import sys, tarfile
      source = tarfile.open(sys.argv[1])
      with tarfile.open(sys.argv[2], 'w', format=tarfile.USTAR_FORMAT) as out:
          for m in source:
              info = tarfile.TarInfo(m.name)
              info.size = m.size
              out.addfile(info, source.extractfile(m))
      """
    _ = try await Self.tarfile(script, [path, folder + "/python.tar"])
    let python = try DurableFile.read(folder + "/python.tar")
    let ours = try DurableFile.read(path)
    // Python fills up to records of 10,240 bytes.
    #expect(python.prefix(ours.count).elementsEqual(ours))
    #expect(python.dropFirst(ours.count).allSatisfy { $0 == 0 })
  }

  @Test(
    "webdataset gives every sample as it was written, plain and through lz4",
    .peers("webdataset"),
    arguments: ShardCompression.allCases)
  func webdataset(compression: ShardCompression) async throws {
    let path = try shard(compression)
    let script = """
      import hashlib, sys, webdataset
      for s in webdataset.WebDataset(sys.argv[1], shardshuffle=False):
          for suffix in s:
              if not suffix.startswith('__'):
                  print(s['__key__'] + '.' + suffix, hashlib.sha256(s[suffix]).hexdigest())
      """
    let url = compression == .lz4 ? "pipe:lz4 -dc \(path)" : path
    let lines = try await Self.run(script, [url]).split(separator: "\n")
    #expect(lines.map(String.init) == listing)
  }

  @Test(
    "what webdataset's own writer makes is read, plain and in gzip",
    .peers("webdataset"))
  func foreignWriter() async throws {
    let script = """
      import sys, webdataset
      for name in sys.argv[1:]:
          with webdataset.TarWriter(name, encoder=False) as sink:
              for i in range(50):
                  sink.write({'__key__': f'folder/{i:09d}', 'jpg': b'\\xff\\xd8' + bytes([i]) * i,
                              'txt': f'caption {i}'.encode(), 'json': b'{}', 'cls': b'7'})
      """
    let paths = ["\(folder)/w.tar", "\(folder)/w.tar.gz"]
    _ = try await Self.run(script, paths)
    for path in paths {
      let reader = try ShardReader(path: path)
      #expect(reader.count == 50)
      for index in [49, 0, 7] {
        let pair = try reader.pair(at: index)
        #expect(
          pair.key == "folder/" + String(repeating: "0", count: index < 10 ? 8 : 7) + "\(index)")
        #expect(pair.image == [0xFF, 0xD8] + [UInt8](repeating: UInt8(index), count: index))
        #expect(pair.caption == "caption \(index)" && pair.metadata == Array("{}".utf8))
        #expect(try reader.sample(at: index).data("cls") == Array("7".utf8))
      }
    }
  }

  @Test(
    "what img2dataset makes is read, and rewritten member by member",
    .peers("img2dataset"))
  func img2dataset() async throws {
    // It fetches by urllib, which takes file: too.
    let script = """
      import os, sys
      from PIL import Image
      from img2dataset import download
      if __name__ == '__main__':
          folder = sys.argv[1]
          with open(folder + '/list.tsv', 'w') as out:
              print('url', 'caption', sep='\\t', file=out)
              for i in range(12):
                  Image.new('RGB', (300, 280 + i), (20 * i, 90, 10)).save(f'{folder}/{i}.png')
                  print(f'file://{folder}/{i}.png', f'größe {i}', sep='\\t', file=out)
          download(url_list=folder + '/list.tsv', input_format='tsv', url_col='url',
                   caption_col='caption', output_format='webdataset', output_folder=folder + '/out',
                   processes_count=1, thread_count=2, image_size=64, number_sample_per_shard=50)
      """
    _ = try await Self.run(script, [folder])
    let reader = try ShardReader(path: folder + "/out/00000.tar")
    #expect(reader.count == 12)
    let writer = RollingShardWriter(
      folder: folder, compression: .lz4, maxPairs: nil, maxBytes: nil)
    var captions: Set<String> = []
    try reader.forEachSample { sample in
      #expect(sample.members.map(\.suffix) == ["jpg", "json", "txt"])
      try writer.append(sample)
      let pair = try #require(try reader.pair(key: sample.key))
      captions.insert(pair.caption)
      #expect(pair.image.starts(with: [0xFF, 0xD8]) && pair.metadata.starts(with: Array("{".utf8)))
    }
    #expect(captions == Set((0..<12).map { "größe \($0)" }))
    let shard = try #require(try writer.finish().first)
    let copy = try ShardReader(path: folder + "/" + shard.file)
    for number in 0..<12 { #expect(try copy.sample(at: number) == reader.sample(at: number)) }
  }
}
