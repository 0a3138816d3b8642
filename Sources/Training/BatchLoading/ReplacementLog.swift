import DurableFiles
import FoundationEssentials

/// A pair that another one stood in for, as a line of `replaced.jsonl`.
public struct ReplacementLine: Codable, Sendable, Equatable {
  /// The first step, from 1, whose batch missed the pair.
  public var step: Int
  /// The path of the source, as the manifest names it.
  public var source: String
  public var key: String
  public var why: String
  /// The key of the pair in its place.
  public var standIn: String

  enum CodingKeys: String, CodingKey {
    case step, source, key, why
    case standIn = "stand_in"
  }

  public init(step: Int, source: String, key: String, why: String, standIn: String) {
    self.step = step
    self.source = source
    self.key = key
    self.why = why
    self.standIn = standIn
  }
}

/// The file `replaced.jsonl`: each pair that was ever replaced, once, in the order of steps.
///
/// A run that is resumed drops what lies beyond its checkpoint and finds the same again. What lies before is
/// on disk once ``append(_:)`` has returned, so call it before a checkpoint is published.
public final class ReplacementLog {
  public let path: String
  private var told: Set<Pair> = []

  private struct Pair: Hashable {
    var source: String
    var key: String
  }

  /// Opens the file and drops the lines after `step`, and one that a crash has cut.
  ///
  /// - Throws: `FileError`; ``DataSourceError`` for a file with other lines.
  public init(path: String, keepingUpTo step: Int) throws {
    self.path = path
    guard DurableFile.exists(path) else { return }
    let all: [ReplacementLine]
    do { all = try Self.lines(try DurableFile.read(path)) } catch is DecodingError {
      throw DataSourceError(
        source: path,
        problem:
          "has a line that tells of no replaced pair. Mend it, or move the file away: pairs that "
          + "are met again are told again.")
    }
    let kept = all.filter { $0.step <= step }
    told = Set(kept.map { Pair(source: $0.source, key: $0.key) })
    try DurableFile.write(try kept.flatMap(Self.bytes), to: path)
  }

  /// Adds the lines of pairs that were not told of before.
  ///
  /// - Throws: `FileError`.
  public func append(_ lines: [ReplacementLine]) throws {
    let new = lines.filter { told.insert(Pair(source: $0.source, key: $0.key)).inserted }
    guard !new.isEmpty else { return }
    try DurableFile.append(try new.flatMap(Self.bytes), to: path)
  }

  /// The lines of a file's bytes; one without its end is passed over.
  public static func lines(_ bytes: [UInt8]) throws -> [ReplacementLine] {
    var parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    parts.removeLast()
    return try parts.map { try JSONDecoder().decode(ReplacementLine.self, from: Data($0)) }
  }

  private static func bytes(_ line: ReplacementLine) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(line)) + [UInt8(ascii: "\n")]
  }
}
