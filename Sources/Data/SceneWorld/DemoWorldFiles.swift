import FoundationEssentials

extension DemoWorld {
  /// The list as CSV (RFC 4180) with the columns id, url and caption.
  ///
  /// - Parameter origin: Scheme, host and port, as in `http://127.0.0.1:8080`.
  /// - Returns: A header line and a line per row.
  public func listCSV(origin: String) -> String {
    var text = "id,url,caption\n"
    for row in rows {
      text += "\(row.id),\(Self.field(origin + row.path)),\(Self.field(row.caption))\n"
    }
    return text
  }

  /// The truth about each row as JSON Lines, for the evaluation only.
  ///
  /// - Parameter origin: The same as the list's.
  /// - Returns: A line per row, see ``DemoTruth``.
  /// - Throws: `EncodingError`, which these values cannot cause.
  public func truthJSONL(origin: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = ""
    for row in rows {
      let line = try encoder.encode(DemoTruth(row, origin: origin))
      text += String(decoding: line, as: UTF8.self) + "\n"
    }
    return text
  }

  private static func field(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D })
    else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}

/// One line of the truth.
public struct DemoTruth: Codable, Equatable, Sendable {
  public var id: Int
  public var url: String
  public var caption: String
  /// The canonical caption of what the picture shows.
  public var trueCaption: String
  public var captionMatch: Bool
  public var fault: DemoFault
  public var expect: DemoFate
  public var duplicateOf: Int?
  public var format: DemoFormat
  public var shapes: [SceneShape]

  enum CodingKeys: String, CodingKey {
    case id, url, caption, fault, expect, format, shapes
    case trueCaption = "true_caption"
    case captionMatch = "caption_match"
    case duplicateOf = "duplicate_of"
  }

  public init(_ row: DemoRow, origin: String) {
    id = row.id
    url = origin + row.path
    caption = row.caption
    trueCaption = row.scene.canonicalCaption
    captionMatch = row.isMatched
    fault = row.fault
    expect = row.fault.expected
    duplicateOf = row.duplicateOf
    format = row.format
    shapes = row.scene.shapes
  }
}
