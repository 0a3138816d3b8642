import ImageCodec

/// What sizes, endings and edges of the pictures tell of img2dataset's options.
package struct TreatmentFacts {
  /// The lengths of one side over all pictures.
  private enum Side: Equatable {
    case none, one(Int), many

    mutating func add(_ length: Int) {
      switch self {
      case .none: self = .one(length)
      case .one(let known): if known != length { self = .many }
      case .many: break
      }
    }

    var length: Int? { if case .one(let length) = self { length } else { nil } }
  }

  private(set) var pictures = 0
  /// Pictures whose row has no size: bytes as they came.
  private(set) var withoutSize = 0
  /// Pictures whose size is another than the original's.
  private var resized = 0
  private var shortSide = Side.none
  private var longSide = Side.none
  /// The lengths of pictures that have the original's size: the least short and long sides.
  private var smallest: (short: Int, long: Int)?
  private var formats: [String: Int] = [:]
  /// Pictures padded to a square, and others, among the first that were looked at.
  private var (padded, unpadded) = (0, 0)
  var hasEXIF = false

  package init() {}

  private static let looks = 24

  /// Takes a kept picture.
  package mutating func add(_ row: ForeignRow, format: String) {
    pictures += 1
    formats[format, default: 0] += 1
    guard let size = row.sizes else {
      if row.width == nil { withoutSize += 1 }
      return
    }
    let (short, long) = (min(size.width, size.height), max(size.width, size.height))
    if (size.width, size.height) == (size.originalWidth, size.originalHeight) {
      smallest = (min(smallest?.short ?? short, short), min(smallest?.long ?? long, long))
    } else {
      resized += 1
      shortSide.add(short)
      longSide.add(long)
    }
  }

  /// Looks at the edges of a square picture of an original that was none.
  package mutating func look(_ row: ForeignRow, _ image: [UInt8]) {
    guard padded + unpadded < Self.looks, let size = row.sizes, size.width == size.height,
      5 * max(size.originalWidth, size.originalHeight)
        > 6 * min(size.originalWidth, size.originalHeight)
    else { return }
    let picture: RGBImage
    // What cannot be decoded tells nothing.
    do throws(ImageError) { picture = try ImageDecoder.decode(image) } catch { return }
    let isWide = size.originalWidth > size.originalHeight
    // border pads with white (resizer.py); JPEG leaves it within a few steps of 255.
    let isWhite = (0..<(isWide ? picture.width : picture.height)).allSatisfy { place in
      let (first, last) =
        isWide
        ? (place, (picture.height - 1) * picture.width + place)
        : (place * picture.width, (place + 1) * picture.width - 1)
      return [first, last].allSatisfy { pixel in
        picture.pixels[(3 * pixel)..<(3 * pixel + 3)].allSatisfy { $0 >= 245 }
      }
    }
    if isWhite { padded += 1 } else { unpadded += 1 }
  }

  /// The commonest ending of a picture, as an encode_format.
  var encodeFormat: String? {
    let known = formats.filter { ["jpg", "png", "webp"].contains($0.key) }
    return known.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  /// The options that follow from the sizes, with what tells them.
  package var sizes: [ImportSetting] {
    guard pictures > 0 else { return [] }
    if withoutSize == pictures {
      return [.init("disable_all_reencoding", "true", .tables)]
    }
    var mode: (name: String, size: Int, source: ImportSetting.Source)?
    switch (shortSide.length, longSide.length) {
    case (let short?, let long?) where short == long:
      // Both modes make squares; many pictures have white edges of their own, few all of them.
      let isCropped = unpadded > padded
      mode = (isCropped ? "center_crop" : "border", long, padded + unpadded > 0 ? .looks : .usual)
    case (let short?, _): mode = ("keep_ratio", short, .tables)
    case (nil, let long?): mode = ("keep_ratio_largest", long, .tables)
    default: break
    }
    guard let mode else {
      return resized == 0 && smallest != nil ? [.init("resize_mode", "no", .tables)] : []
    }
    let isByLong = ["border", "keep_ratio_largest"].contains(mode.name)
    let least = smallest.map { isByLong ? $0.long : $0.short } ?? mode.size
    return [
      .init("resize_mode", mode.name, mode.source),
      .init("image_size", String(mode.size), .tables),
    ] + (least < mode.size ? [.init("resize_only_if_bigger", "true", .tables)] : [])
  }
}
