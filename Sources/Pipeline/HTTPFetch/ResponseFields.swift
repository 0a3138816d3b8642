/// The header fields of an answer that something reads; all others cost no allocation.
package struct ResponseFields {
  package private(set) var retryAfter: String?
  package private(set) var location: String?
  package private(set) var contentType: String?
  package private(set) var contentLength: Int?
  package private(set) var etag: String?
  package private(set) var lastModified: String?
  /// The fields by which a site may refuse a use, in order: names in lower case, values as sent.
  package private(set) var policy: [(name: String, value: String)] = []

  package init() {}

  /// The code of a status line, 0 for one without; nil for what is no status line.
  package static func statusCode(_ line: Span<UInt8>) -> Int? {
    guard line.starts(with: "HTTP/") else { return nil }
    var index = 5
    while index < line.count, line[index] != 0x20 { index += 1 }
    while index < line.count, line[index] == 0x20 { index += 1 }
    var code = 0
    let end = min(line.count, index + 3)
    while index < end, (0x30...0x39).contains(line[index]) {
      code = code * 10 + Int(line[index] - 0x30)
      index += 1
    }
    return code
  }

  /// Keeps the field of a header line (without its line end) if it is one of those above.
  package mutating func take(_ line: Span<UInt8>) {
    var colon = 0
    while colon < line.count, line[colon] != UInt8(ascii: ":") { colon += 1 }
    guard colon < line.count else { return }
    let name = line.extracting(..<colon)
    var start = colon + 1
    while start < line.count, line[start] == 0x20 || line[start] == 0x09 { start += 1 }
    let value = line.extracting(start...)
    // By length first: most lines are told apart from all names by one comparison.
    switch colon {
    case 4 where name.isField("etag"): etag = value.text
    case 8 where name.isField("location"): location = value.nonEmptyText
    case 10 where name.isField("tdm-policy"): policy.append(("tdm-policy", value.text))
    case 11 where name.isField("retry-after"): retryAfter = value.text
    case 12 where name.isField("content-type"): contentType = value.nonEmptyText
    case 12 where name.isField("x-robots-tag"): policy.append(("x-robots-tag", value.text))
    case 13 where name.isField("last-modified"): lastModified = value.text
    case 13 where name.isField("content-usage"): policy.append(("content-usage", value.text))
    case 14 where name.isField("content-length"): contentLength = Int(value.text)
    case 15 where name.isField("tdm-reservation"): policy.append(("tdm-reservation", value.text))
    default: break
    }
  }
}

extension Span<UInt8> {
  fileprivate var text: String {
    // Safe: the buffer is read inside the closure only.
    unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  fileprivate var nonEmptyText: String? { isEmpty ? nil : text }

  fileprivate func starts(with text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount && extracting(..<text.utf8CodeUnitCount).matches(text, 0)
  }

  /// Whether this is the name, whatever its case; `name` is in lower case and as long.
  fileprivate func isField(_ name: StaticString) -> Bool { matches(name, 0x20) }

  private func matches(_ text: StaticString, _ caseBit: UInt8) -> Bool {
    for index in indices {
      // Safe: the caller made sure that the text is as long as the span.
      let expected = unsafe text.utf8Start[index]
      let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(expected)
      guard self[index] | (isLetter ? caseBit : 0) == expected else { return false }
    }
    return true
  }
}
