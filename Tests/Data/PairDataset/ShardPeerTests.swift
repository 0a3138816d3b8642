import ContentHashing
import DurableFiles
import Foundation
import PairDataset
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

  @Test("a shard's header says ustar, and pax only where a name needs it")
  func formats() throws {
    let script = """
      import hashlib, sys, tarfile
      tar = tarfile.open(sys.argv[1], 'r|')
      for m in tar:
          assert (m.mtime, m.uid, m.gid, m.mode, m.uname, m.gname) == (0, 0, 0, 0o644, '', ''), m
          print(m.name, hashlib.sha256(tar.extractfile(m).read()).hexdigest(), sorted(m.pax_headers))
      """
    let lines = try PythonPeer.run(PythonPeer.tarfile, script, [try shard(.none)])
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

  @Test(
    "webdataset gives every sample as it was written, plain and through lz4",
    .enabled(if: PythonPeer.webdataset != nil, PythonPeer.missing),
    arguments: ShardCompression.allCases)
  func webdataset(compression: ShardCompression) throws {
    let python = try #require(PythonPeer.webdataset)
    let path = try shard(compression)
    let script = """
      import hashlib, sys, webdataset
      for s in webdataset.WebDataset(sys.argv[1], shardshuffle=False):
          for suffix in s:
              if not suffix.startswith('__'):
                  print(s['__key__'] + '.' + suffix, hashlib.sha256(s[suffix]).hexdigest())
      """
    let url = compression == .lz4 ? "pipe:lz4 -dc \(path)" : path
    let lines = try PythonPeer.run(python, script, [url]).split(separator: "\n")
    #expect(lines.map(String.init) == listing)
  }

  @Test(
    "what webdataset's own writer makes is read, plain and in gzip",
    .enabled(if: PythonPeer.webdataset != nil, PythonPeer.missing))
  func foreignWriter() throws {
    let python = try #require(PythonPeer.webdataset)
    let script = """
      import sys, webdataset
      for name in sys.argv[1:]:
          with webdataset.TarWriter(name, encoder=False) as sink:
              for i in range(50):
                  sink.write({'__key__': f'folder/{i:09d}', 'jpg': b'\\xff\\xd8' + bytes([i]) * i,
                              'txt': f'caption {i}'.encode(), 'json': b'{}', 'cls': b'7'})
      """
    let paths = ["\(folder)/w.tar", "\(folder)/w.tar.gz"]
    _ = try PythonPeer.run(python, script, paths)
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
}
