/// A test of a picture as it was found, by the columns that tell of it.
public enum PictureTest: Sendable, Equatable {
  /// Pixels of the shorter side.
  case minSide(Int)
  /// Pixels of the longer side.
  case maxSide(Int)
  /// The longer side divided by the shorter one.
  case maxAspect(Double)
  case minBytes(Int)
  case maxBytes(Int)
  /// In lower case; jpeg and jpg are one.
  case formats([String])

  var words: String {
    switch self {
    case .minSide(let pixels): "picture: shorter side \(pixels) or more"
    case .maxSide(let pixels): "picture: longer side \(pixels) or less"
    case .maxAspect(let ratio): "picture: aspect ratio \(Comparison.short(ratio)) or less"
    case .minBytes(let count): "picture: \(count) bytes or more"
    case .maxBytes(let count): "picture: \(count) bytes or fewer"
    case .formats(let names): "picture: format \(names.joined(separator: ", "))"
    }
  }

  /// The columns that it goes by.
  var columns: [ColumnChoice] {
    switch self {
    case .minSide, .maxSide, .maxAspect: [.width, .height]
    case .minBytes, .maxBytes: [.bytes]
    case .formats: [.format]
    }
  }

  func holds(_ columns: [FilterColumn], at index: Int) -> Bool? {
    switch self {
    case .formats(let names):
      return columns[0].text(at: index).map { names.contains(Self.format($0)) }
    case .minBytes(let count): return columns[0].number(at: index).map { $0 >= Double(count) }
    case .maxBytes(let count): return columns[0].number(at: index).map { $0 <= Double(count) }
    case .minSide, .maxSide, .maxAspect: break
    }
    guard let width = columns[0].number(at: index), let height = columns[1].number(at: index)
    else { return nil }
    let (short, long) = (Swift.min(width, height), Swift.max(width, height))
    return switch self {
    case .minSide(let pixels): short >= Double(pixels)
    case .maxSide(let pixels): long <= Double(pixels)
    // A picture without pixels has no ratio, and does not pass.
    case .maxAspect(let ratio): short > 0 && long / short <= ratio
    default: nil
    }
  }

  /// `image/jpeg`, `.JPG` and `jpeg` are `jpg`.
  static func format(_ text: String) -> String {
    var name = text.lowercased()
    for prefix in ["image/", "."] where name.hasPrefix(prefix) {
      name = String(name.dropFirst(prefix.count))
    }
    return name == "jpeg" ? "jpg" : name
  }
}
