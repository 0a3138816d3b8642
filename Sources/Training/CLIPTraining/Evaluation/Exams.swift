import Collectives
import DurableFiles
import FoundationEssentials
import PairDataset

/// Retrieval over the pairs of an exam: captions by picture, and pictures by caption.
public struct RetrievalExam: Sendable {
  public let pairs: ExamPairs

  /// - Parameter pairs: At least two.
  /// - Throws: ``ExamError`` for fewer.
  public init(_ pairs: ExamPairs) throws(ExamError) {
    guard pairs.count > 1 else {
      throw ExamError(
        "\(pairs.paths.joined(separator: ", ")): holds \(pairs.count) pairs; retrieval needs two")
    }
    self.pairs = pairs
  }

  /// - Parameter encoder: On every rank.
  /// - Returns: The result on rank 0, nil on the others.
  /// - Throws: ``ShardError``, ``CollectiveError``, ``ExamError`` where no picture can be decoded.
  public func taken(with encoder: SharedEncoder) throws -> Retrieval? {
    let features = try encoder.features(of: pairs)
    guard features.numbers.count > 1 else { throw ExamError.undecodable(pairs) }
    guard encoder.group.rank == 0 else { return nil }
    var result = Retrieval(
      images: features.images, texts: features.texts,
      imageOfText: Array(features.numbers.indices))
    result.undecodable = features.undecodable
    return result
  }
}

/// Zero-shot classification of the pictures of an exam.
///
/// The class of a pair stands in its JSON member, as its name or its number, or is its caption.
public struct ZeroShotExam: Sendable {
  public let pairs: ExamPairs
  public let names: [String]
  public let templates: [String]
  /// The key of the class in a pair's JSON member.
  public let label: String

  /// - Parameters:
  ///   - pairs: At least one.
  ///   - names: Of the classes: two or more, each once.
  ///   - templates: Each with `{}` where the name goes.
  ///   - label: As above.
  /// - Throws: ``ExamError`` for what is not so.
  public init(
    _ pairs: ExamPairs, names: [String], templates: [String], label: String
  ) throws(ExamError) {
    let place = pairs.paths.joined(separator: ", ")
    guard pairs.count > 0 else { throw ExamError("\(place): holds no pair") }
    guard names.count > 1 else {
      throw ExamError("\(place): is to be told by fewer than 2 classes")
    }
    if let index = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
      throw ExamError("the class \"\(names[index])\" is named twice")
    }
    guard !templates.isEmpty else { throw ExamError("there is no template; {} is the bare name") }
    if let template = templates.first(where: { !$0.contains("{}") }) {
      throw ExamError("the template \"\(template.prefix(60))\" has no {} for the class's name")
    }
    self.pairs = pairs
    self.names = names
    self.templates = templates
    self.label = label
  }

  /// The class of every pair; reads all pairs of this rank's share.
  ///
  /// - Parameter encoder: On every rank.
  /// - Returns: The same on every rank.
  /// - Throws: ``ExamError`` for a pair without one of the classes, ``ShardError``, ``CollectiveError``.
  public func labels(sharing encoder: SharedEncoder) throws -> [Int] {
    try encoder.shared(pairs.count, each: 1) { range in
      try range.map { Float(try label(of: pairs.pair(at: $0))) }
    }.map { Int($0[0]) }
  }

  /// - Parameters:
  ///   - encoder: On every rank.
  ///   - labels: As ``labels(sharing:)`` gave them.
  /// - Returns: The result on rank 0, nil on the others.
  /// - Throws: ``ShardError``, ``CollectiveError``, ``ExamError`` where no picture can be decoded.
  public func taken(with encoder: SharedEncoder, labels: [Int]) throws -> ZeroShot? {
    let features = try encoder.features(of: pairs, withCaptions: false)
    guard !features.numbers.isEmpty else { throw ExamError.undecodable(pairs) }
    let vectors = try encoder.classVectors(names: names, templates: templates)
    guard encoder.group.rank == 0 else { return nil }
    var result = ZeroShot(
      images: features.images, classVectors: vectors, labels: features.numbers.map { labels[$0] })
    result.undecodable = features.undecodable
    return result
  }

  private func label(of pair: Pair) throws(ExamError) -> Int {
    var value: LabelValue?
    if !pair.metadata.isEmpty {
      do {
        value = try JSONDecoder().decode([String: LabelValue].self, from: Data(pair.metadata))[
          label]
      } catch { throw ExamError("pair \(pair.key): its JSON member is no object: \(error)") }
    }
    if case .number(let number) = value {
      guard names.indices.contains(number) else {
        throw ExamError(
          "pair \(pair.key): its \(label) \(number) is not among 0 … \(names.count - 1)")
      }
      return number
    }
    var name = pair.caption
    if case .text(let text) = value { name = text }
    guard let index = names.firstIndex(of: name) else {
      throw ExamError("pair \(pair.key): \"\(name.prefix(60))\" is none of the classes")
    }
    return index
  }
}

/// A value of a pair's JSON as far as it may name a class.
private enum LabelValue: Decodable {
  case number(Int)
  case text(String)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // Anything else under any key is no error.
    if let number = try? container.decode(Int.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else {
      self = .other
    }
  }
}

/// Why a model cannot be measured on some pairs.
public struct ExamError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }

  static func undecodable(_ pairs: ExamPairs) -> ExamError {
    ExamError(
      "\(pairs.paths.joined(separator: ", ")): next to none of its \(pairs.count) pictures can be "
        + "decoded; look at one with `pairloom cat`")
  }
}

/// The lines of a text file, as classes and templates are listed.
public func examLines(of path: String) throws -> [String] {
  String(decoding: try DurableFile.read(path), as: UTF8.self)
    .split(whereSeparator: \.isNewline).map(String.init)
}
