import DurableFiles
package import PipelineCore

/// The folder in which an output grows, `OUT.part`: what was looked at already, and the new shards.
///
/// It is ours by a marker in it. An interrupted command is gone on with where the shards and options are
/// the same, and refused where they are not.
package struct WorkFolder {
  private static let marker = ".pairloom-dedup"

  package let path: String
  private let lock: WorkLock
  /// Where tables of pairs lie that were looked at.
  package var examined: String { "\(path)/examined" }
  /// What the judge keeps.
  var judge: String { "\(path)/judge" }
  /// What becomes the output.
  var output: String { "\(path)/out" }
  /// Pictures that wait to be made small.
  var pictures: String { "\(path)/pictures.bytes" }
  /// Says that every pair was looked at, and how many there are.
  private var completion: String { "\(path)/examined.json" }
  private var settings: String { "\(path)/settings.json" }

  /// Makes the folder, or finds what an interrupted command has left in it.
  ///
  /// - Throws: ``ShardDeduplicationError`` where it is somebody else's, or holds a shard that is read.
  package init(_ path: String, reading inputs: [String]) throws {
    self.path = path
    if let real = RealPath.of(path) {
      for input in inputs where RealPath.of(input)?.hasPrefix(real + "/") == true {
        throw ShardDeduplicationError.inputInPart(input: input, part: path)
      }
    }
    let names = try DurableFile.names(in: path)
    guard names.contains(Self.marker) || names.allSatisfy({ $0.hasPrefix(Self.marker) }) else {
      throw ShardDeduplicationError.foreignPart(path)
    }
    try DurableFile.makeFolder(path)
    let marker = "\(path)/\(Self.marker)"
    if !DurableFile.exists(marker) { try DurableFile.write([], to: marker) }
    lock = try WorkLock(marker, of: path)
    for folder in [examined, judge] {
      try DurableFile.makeFolder(folder)
      try DurableFile.removeTemporaries(in: folder)
    }
    try DurableFile.removeTemporaries(in: path)
  }

  /// Binds what is looked at to the shards.
  package func bind(inputs: [(key: String, value: String)]) throws {
    try bind(inputs, to: "\(path)/inputs.json")
  }

  /// Binds the folder to options.
  package func bind(settings new: [(key: String, value: String)]) throws {
    try bind(new, to: settings)
  }

  private func bind(_ new: [(key: String, value: String)], to file: String) throws {
    guard DurableFile.exists(file) else {
      let members = new.map { JSONValue.Member($0.key, .string($0.value)) }
      try DurableFile.write(JSONValue.object(members).serialized + "\n", to: file)
      return
    }
    let old = try JSONValue.parse(try DurableFile.read(file))
    try Self.require(old, equals: new, at: path)
  }

  /// - Throws: ``ShardDeduplicationError/otherOptions(path:differences:)`` with a line for each.
  package static func require(
    _ old: JSONValue, equals new: [(key: String, value: String)], at path: String
  ) throws {
    let known = Dictionary(new.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    let keys = new.map(\.key) + old.members.map(\.key).filter { known[$0] == nil }
    let differences = keys.compactMap { key -> String? in
      let was = old[key]?.text
      return was == known[key]
        ? nil : "\(key): was \(was ?? "not there"), now \(known[key] ?? "not there")"
    }
    guard differences.isEmpty else {
      throw ShardDeduplicationError.otherOptions(path: path, differences: differences)
    }
  }

  package func examinedTable(_ batch: Int) -> String {
    "\(examined)/\(RunFolder.digits(batch)).parquet"
  }

  /// The pairs of a batch.
  func pairs(_ batch: Int) throws -> [ExaminedPair] {
    try PairTable.read(examinedTable(batch), as: ExaminedPair.init)
  }

  /// The batches that were looked at already, from the first on without a gap.
  func examinedBatches() throws -> Int {
    let names = Set(try DurableFile.names(in: examined))
    var count = 0
    while names.contains("\(RunFolder.digits(count)).parquet") { count += 1 }
    return count
  }

  /// How many pairs there are; nil until all were looked at.
  package func pairCount() throws -> Int? {
    guard DurableFile.exists(completion) else { return nil }
    return try JSONValue.parse(try DurableFile.read(completion))["pairs"]?.integer
  }

  package func complete(pairs: Int) throws {
    try DurableFile.write("{\"pairs\":\(pairs)}\n", to: completion)
  }

  /// An empty folder for the output.
  package func clearedOutput() throws -> String {
    try Self.removeTree(output)
    try DurableFile.makeFolder(output)
    return output
  }

  /// Gives the output its name in one step, and removes what it was made from.
  package func publish(as out: String) throws {
    try DurableFile.makeFolder(out)
    try DurableFile.move(output, to: out)
    try remove()
  }

  /// Removes the folder with what is in it; the marker last, so that a kill leaves it known.
  package func remove() throws {
    for name in try DurableFile.names(in: path) where name != Self.marker {
      try Self.removeTree("\(path)/\(name)")
    }
    try DurableFile.remove("\(path)/\(Self.marker)")
    try DurableFile.removeFolder(path)
  }

  private static func removeTree(_ path: String) throws {
    guard RealPath.isFolder(path) else { return try DurableFile.remove(path) }
    for name in try DurableFile.names(in: path) { try removeTree("\(path)/\(name)") }
    try DurableFile.removeFolder(path)
  }
}
