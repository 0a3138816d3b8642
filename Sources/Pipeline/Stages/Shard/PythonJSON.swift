package import PipelineCore

/// JSON as Python's `json.dumps(value, indent=n)` writes it: ASCII only, a member a line.
package enum PythonJSON {
  package static func text(_ value: JSONValue, indent: Int) -> String {
    var text = ""
    write(value, indent: indent, depth: 0, to: &text)
    return text
  }

  private static func write(_ value: JSONValue, indent: Int, depth: Int, to text: inout String) {
    func newline(_ depth: Int) { text += "\n" + String(repeating: " ", count: indent * depth) }
    switch value {
    case .string(let string): write(string, to: &text)
    case .array(let values) where !values.isEmpty:
      text += "["
      for (index, each) in values.enumerated() {
        if index > 0 { text += "," }
        newline(depth + 1)
        write(each, indent: indent, depth: depth + 1, to: &text)
      }
      newline(depth)
      text += "]"
    case .object(let members) where !members.isEmpty:
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        newline(depth + 1)
        write(member.key, to: &text)
        text += ": "
        write(member.value, indent: indent, depth: depth + 1, to: &text)
      }
      newline(depth)
      text += "}"
    default: text += value.serialized
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for unit in string.utf16 {
      switch unit {
      case 0x22: text += "\\\""
      case 0x5C: text += "\\\\"
      case 0x0A: text += "\\n"
      case 0x0D: text += "\\r"
      case 0x09: text += "\\t"
      case 0x08: text += "\\b"
      case 0x0C: text += "\\f"
      case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default:
        let digits = String(unit, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      }
    }
    text += "\""
  }
}

extension PythonJSON {
  /// A text as Python's `repr` writes it; what is beyond ASCII stays as it is.
  package static func quoted(_ string: String) -> String {
    let quote: Unicode.Scalar = string.contains("'") && !string.contains("\"") ? "\"" : "'"
    var text = "\(quote)"
    for scalar in string.unicodeScalars {
      switch scalar {
      case quote, "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        text += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\(quote)"
  }
}

/// The phrases that Python's http.HTTPStatus has for the statuses of RFC 9110 and its kin.
enum ReasonPhrase {
  static func of(_ status: Int) -> String { phrases[status] ?? "Unknown" }

  private static let phrases: [Int: String] = [
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other",
    307: "Temporary Redirect", 308: "Permanent Redirect", 304: "Not Modified", 305: "Use Proxy",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
    411: "Length Required", 412: "Precondition Failed", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable", 417: "Expectation Failed", 418: "I'm a Teapot",
    421: "Misdirected Request", 422: "Unprocessable Entity", 423: "Locked",
    424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required",
    428: "Precondition Required", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    507: "Insufficient Storage", 508: "Loop Detected", 510: "Not Extended",
    511: "Network Authentication Required",
  ]
}
