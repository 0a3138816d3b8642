import DurableFiles
import FoundationEssentials
import PipelineCore

/// The file that a finished output keeps of itself: what it was made from, and what came of it.
package enum OutputRecord {
  /// Writes it into the folder that becomes the output.
  package static func write(
    _ outcome: some Encodable, _ settings: [(key: String, value: String)], to path: String
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let told = try JSONValue.parse([UInt8](try encoder.encode(outcome)))
    let record = JSONValue.object([
      .init("settings", OutputSettings(settings).json), .init("outcome", told),
    ])
    try DurableFile.write(record.serialized + "\n", to: path)
  }

  /// What an earlier call has made of the same, and removes what a kill has left of its making.
  ///
  /// - Parameters:
  ///   - name: The record's name in the output.
  ///   - out: The output.
  ///   - settings: What this call would make it from.
  ///   - inputs: Files that are read.
  /// - Returns: Nil where the output is new or empty.
  /// - Throws: ``ShardDeduplicationError`` where it is somebody else's, or of other settings.
  package static func finished<Outcome: Decodable>(
    _ name: String, in out: String, _ settings: [(key: String, value: String)],
    reading inputs: [String]
  ) throws -> Outcome? {
    guard try !DurableFile.names(in: out).isEmpty else { return nil }
    let path = "\(out)/\(name)"
    guard DurableFile.exists(path) else { throw ShardDeduplicationError.outputExists(out) }
    let json = try JSONValue.parse(try DurableFile.read(path))
    try WorkFolder.require(json["settings"] ?? .null, equals: settings, at: out)
    let outcome = try JSONDecoder().decode(
      Outcome.self, from: Data((json["outcome"] ?? .null).serialized.utf8))
    // A kill between publishing and cleaning leaves what it was made from.
    if DurableFile.exists(out + ".part") {
      try WorkFolder(out + ".part", reading: inputs).remove()
    }
    return outcome
  }
}
