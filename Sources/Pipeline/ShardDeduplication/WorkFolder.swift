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
    if let input = RealPath.first(of: inputs, in: path) {
      throw ShardDeduplicationError.inputInPart(input: input, part: path)
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

  /// Binds what is looked at to the shards, and drops what was seen of others or for other columns.
  ///
  /// - Throws: ``ShardDeduplicationError/otherOptions(path:differences:)`` where the folder is another command's.
  package func rebind(inputs new: [(key: String, value: String)], command: String) throws {
    let file = "\(path)/inputs.json"
    if DurableFile.exists(file) {
      let old = try JSONValue.parse(try DurableFile.read(file))
      if OutputSettings(new).differences(from: old).isEmpty { return }
      guard old["command"]?.text == command else { return try bind(inputs: new) }
      for name in try DurableFile.names(in: examined) {
        try DurableFile.remove("\(examined)/\(name)")
      }
    }
    // Last: a kill before it begins anew.
    try DurableFile.write(OutputSettings(new).json.serialized + "\n", to: file)
  }

  /// Binds the folder to options.
  package func bind(settings new: [(key: String, value: String)]) throws {
    try bind(new, to: settings)
  }

  private func bind(_ new: [(key: String, value: String)], to file: String) throws {
    guard DurableFile.exists(file) else {
      try DurableFile.write(OutputSettings(new).json.serialized + "\n", to: file)
      return
    }
    let old = try JSONValue.parse(try DurableFile.read(file))
    try Self.require(old, equals: new, at: path)
  }

  /// - Throws: ``ShardDeduplicationError/otherOptions(path:differences:)`` with a line for each.
  package static func require(
    _ old: JSONValue, equals new: [(key: String, value: String)], at path: String
  ) throws {
    let differences = OutputSettings(new).differences(from: old)
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
