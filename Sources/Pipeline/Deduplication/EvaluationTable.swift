import DecodeStage
import DurableFiles
import Glibc
import PerceptualHash
import PictureIndex
import PipelineCore

/// The pictures of an evaluation set as they were looked at: a row each, in the order of the set.
struct EvaluationTable {
  let path: String

  init(_ path: String) { self.path = path }

  private static let columns = [
    TableColumn("name", .text, isOptional: false), TableColumn("sha256", .text),
    TableColumn("signature", .text), TableColumn("phash", .text),
  ]
  private static let refusedFact = "refused"
  /// Bytes of bodies that are looked at together.
  private static let block = 64 << 20

  var isThere: Bool {
    get throws {
      guard DurableFile.exists(path) else { return false }
      do {
        _ = try counts()
        return true
      } catch {
        return false  // damaged: it is made again
      }
    }
  }

  func counts() throws -> (count: Int, refused: Int) {
    let refused = try PairTable.metadata(of: path)[Self.refusedFact].flatMap(Int.init) ?? 0
    return (try PairTable.read(path).count, refused)
  }

  /// Looks at every picture of the set; published as a whole.
  func write(
    _ source: EvaluationSource, _ examiner: PictureExaminer, threads: Int,
    _ isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    var rows: [JSONValue] = []
    var refused = 0
    var block: [(name: String, body: [UInt8])] = []
    var bytes = 0
    func examine() throws {
      if isCancelled() { throw CancellationError() }
      let results = try examiner.examine(
        block.map(\.body), threads: threads, isCancelled: isCancelled)
      for (picture, result) in zip(block, results) {
        switch result {
        case .success(let examined):
          rows.append(
            Self.row(
              picture.name, sha256: EvaluationSource.sha256(picture.body),
              signature: examined.signature))
        case .failure: refused += 1
        }
      }
      block = []
      bytes = 0
    }
    try source.forEach { item in
      switch item {
      case .picture(let name, let body):
        block.append((name, body))
        bytes += body.count
        if bytes >= Self.block { try examine() }
      case .digest(let text): rows.append(Self.row(text, sha256: text))
      case .hash(let text): rows.append(Self.row(text, phash: text))
      }
    }
    try examine()
    try PairTable.write(
      rows, columns: Self.columns, to: path, metadata: [(Self.refusedFact, String(refused))])
  }

  private static func row(
    _ name: String, sha256: String? = nil, signature: PictureSignature? = nil,
    phash: String? = nil
  ) -> JSONValue {
    let members = [
      ("name", name), ("sha256", sha256), ("signature", signature?.text), ("phash", phash),
    ].compactMap { key, value in value.map { JSONValue.Member(key, .string($0)) } }
    return .object(members)
  }

  /// The pictures in an index beside the table, which is filled where it does not hold them.
  ///
  /// - Returns: The index, and the bare hashes, of which no index can tell.
  func open() throws -> (index: PictureIndex, hashes: [UInt64]) {
    let rows = try PairTable.read(path)
    let entries = rows.enumerated().compactMap { row, json -> PictureEntry? in
      let signature = json["signature"]?.text.flatMap(PictureSignature.init(text:))
      let digest = json["sha256"]?.text.flatMap(Name128.init(hex:))
      guard let name = json["name"]?.text, digest != nil || signature != nil else { return nil }
      return PictureEntry(
        uid: JudgedPair.digest(of: name), row: row, digest: digest, signature: signature)
    }
    let hashes = rows.compactMap { $0["phash"]?.text.flatMap { UInt64($0, radix: 16) } }
    let file = path + ".index"
    // Whatever is wrong with it, the table makes it anew.
    if DurableFile.exists(file), let index = try? PictureIndex(file, isWritable: false),
      index.count == entries.count
    {
      return (index, hashes)
    }
    // Under a name of its own first: other processes may do the same, and none keeps it open to write.
    let temporary = "\(file).\(getpid()).tmp"
    try DurableFile.remove(temporary)
    try PictureIndex(temporary, isWritable: true).append(entries, batch: 0)
    try DurableFile.move(temporary, to: file)
    return (try PictureIndex(file, isWritable: false), hashes)
  }

  func names() throws -> [Name128: String] {
    Dictionary(
      try PairTable.read(path).compactMap { $0["name"]?.text }.map {
        (JudgedPair.digest(of: $0), $0)
      }, uniquingKeysWith: { first, _ in first })
  }
}
