package import PipelineCore

/// One row of img2dataset: what its table says of it, or the JSON of its pair.
package struct ForeignRow {
  var key: String?
  /// Empty where the list had none.
  var url = ""
  var caption = ""
  /// `success`, `failed_to_download` or `failed_to_resize`.
  var status: String?
  var message = ""
  var width: Int?
  var height: Int?
  var originalWidth: Int?
  var originalHeight: Int?
  /// A JSON object's text.
  var exif: String?
  /// Of the downloaded bytes, 64 hexadecimal digits.
  var sha256: String?
  /// What else the list has, in its order; each name once.
  var columns: [JSONValue.Member] = []

  var isSuccess: Bool { status == "success" }

  /// The size of the picture that is kept, and of the original.
  var sizes: (width: Int, height: Int, originalWidth: Int, originalHeight: Int)? {
    guard let width, let height, let originalWidth, let originalHeight, width > 0, height > 0,
      originalWidth > 0, originalHeight > 0
    else { return nil }
    return (width, height, originalWidth, originalHeight)
  }

  /// Takes the value of a column.
  ///
  /// - Parameters:
  ///   - name: The column's, which the row has once.
  ///   - value: Of any kind; what is none of its field's is as if it were not there.
  package mutating func set(_ name: String, _ value: JSONValue) {
    // A size beyond 32 bits is none.
    let side = value.integer.flatMap { Int32(exactly: $0) }.map { Int($0) }
    switch name {
    case "key": key = value.text
    case "url": url = value.text ?? ""
    case "caption": caption = value.text ?? ""
    case "status": status = value.text
    case "error_message": message = value.text ?? ""
    case "width": width = side
    case "height": height = side
    case "original_width": originalWidth = side
    case "original_height": originalHeight = side
    case "exif": exif = value.text
    case "sha256": sha256 = value.text.flatMap(Self.digest)
    default: columns.append(.init(name, value))
    }
  }

  /// Columns that are no data of the list.
  static let fields: Set<String> = [
    "key", "url", "caption", "status", "error_message", "width", "height", "original_width",
    "original_height", "exif", "sha256",
  ]

  private static func digest(_ text: String) -> String? {
    text.utf8.count == 64 && text.allSatisfy { $0.isASCII && $0.isHexDigit }
      ? text.lowercased() : nil
  }

  package init() {}

  /// The row of a pair without a table, by the pair's JSON.
  ///
  /// - Parameters:
  ///   - metadata: The JSON; what is none tells nothing.
  ///   - key: The pair's.
  ///   - caption: The pair's text.
  init(metadata: [UInt8], key: String, caption: String) {
    var known: Set<String> = []
    do throws(JSONError) {
      for member in try JSONValue.parse(metadata).members where known.insert(member.key).inserted {
        set(member.key, member.value)
      }
    } catch {
      columns = []
    }
    self.key = key
    status = "success"
    message = ""
    if self.caption.isEmpty { self.caption = caption }
  }
}
