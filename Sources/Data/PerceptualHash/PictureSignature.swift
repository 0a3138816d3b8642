public import ImageCodec

/// What a picture looks like, in 127 bytes: enough to find those that look the same, and to tell
/// whether they do.
///
/// A pHash alone says little of near-identical drawings: emoji of other skins, flags with other arms,
/// windows with other buttons share it to the bit. So there is a ``key`` to search by, and a thumbnail of 16 × 16 pixels
/// to look at what was found: ``difference(from:)``.
///
/// Deterministic on every machine. Pictures decoded at a half or a quarter of their size have nearly the same one.
public struct PictureSignature: Sendable, Hashable {
  /// Bytes of ``bytes``.
  public static let byteCount = 8 + 1 + PackedThumbnail.byteCount

  /// A fixed form, for files: the key, most significant byte first; 1 for a flat picture, else 0; the
  /// thumbnail.
  public let bytes: [UInt8]

  /// - Parameter bytes: ``byteCount`` bytes; nil for another count, or bytes that are no signature.
  public init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount, bytes[8] <= 1 else { return nil }
    self.bytes = bytes
  }

  /// - Parameters:
  ///   - image: The whole upright picture.
  ///   - original: The sides of the whole picture where `image` was decoded smaller.
  public init(of image: RGBImage, original: (width: Int, height: Int)? = nil) {
    self.init(LowFrequencies(of: image, original: original), CellColours(of: image))
  }

  /// The signature and the pHash, which are of the same small grey picture.
  ///
  /// - Parameters:
  ///   - image: The whole upright picture.
  ///   - original: The sides of the whole picture where `image` was decoded smaller.
  /// - Returns: Both, for a quarter more than the hash alone: 0.12 and 0.15 ms for pictures decoded for 256 pixels.
  public static func withHash(
    of image: RGBImage, original: (width: Int, height: Int)? = nil
  ) -> (signature: PictureSignature, hash: PerceptualHash) {
    let frequencies = LowFrequencies(of: image, original: original)
    return (
      PictureSignature(frequencies, CellColours(of: image)),
      PerceptualHash(bits: frequencies.bits)
    )
  }

  private init(_ frequencies: LowFrequencies, _ colours: CellColours) {
    let isFlat = frequencies.spread < Self.leastSpread
    let key =
      isFlat ? FlatKey.key(of: frequencies, colour: colours.mean) : frequencies.bits
    bytes =
      (0..<8).map { UInt8(truncatingIfNeeded: key >> UInt64(56 - 8 * $0)) } + [isFlat ? 1 : 0]
      + PackedThumbnail.bytes(levels: frequencies.levels, colours: colours)
  }

  /// The coefficients that noise of one grey level has: what compression and rounding do.
  private static let leastSpread = 64.0

  /// The word by which pictures are searched: those that look the same differ in few bits.
  ///
  /// The pHash; of a flat picture, whose pHash says nothing, a code of its strongest frequencies and its colour.
  public var key: UInt64 { bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) } }

  /// Whether the picture has so little in it that its pHash is chance.
  ///
  /// That is when half of its 64 coefficients are within what noise of one grey level makes: pictures of one
  /// colour, a line of thin text on white, and regular patterns such as flags of stripes; about 2 in 100 drawings.
  public var isFlat: Bool { bytes[8] == 1 }

  /// Whether the picture is of one colour, as what some hosts send for a picture that is gone.
  public var isEven: Bool { PackedThumbnail.isEven(bytes[9...]) }

  /// How far the thumbnails lie from each other, in tenths of a grey level; the same both ways.
  ///
  /// The eighth mean over all pixels and channels, so that a small spot counts, after brightness and a shift by a
  /// fraction of a pixel are allowed for. What is packed in three bits is never exact: of real pictures that
  /// were encoded anew, resized or made brighter 41 in 100 lie at up to 140, 96 in 100 at up to 250.
  /// Where there is little contrast, differences are scaled up to what they would be in a picture of full contrast, and
  /// less brightness is allowed for: two pages of thin text, or two even colours, are told apart.
  ///
  /// Costs about 8 µs, half of it to unpack both.
  public func difference(from other: PictureSignature) -> Int {
    if bytes[9...] == other.bytes[9...] { return 0 }
    guard let distance = thumbnail.distance(to: other.thumbnail) else {
      preconditionFailure("no distance is above infinity")
    }
    return Self.difference(ofDistance: distance)
  }

  static func difference(ofDistance distance: Float) -> Int {
    Int((distance * 10).rounded(.toNearestOrEven))
  }

  /// The grey levels beyond which no ``difference(from:)`` is within the usual one.
  static let mostDistance = (Float(usualDifference) + 0.51) / 10

  var thumbnail: Thumbnail { PackedThumbnail.pixels(bytes[9...]) }

  /// The bits of the key that differ.
  public func distance(to other: PictureSignature) -> Int {
    (key ^ other.key).nonzeroBitCount
  }

  /// The most ``difference(from:)`` at which two pictures count as one.
  ///
  /// Chosen with all of 4,613 real pictures with their 1,663 made copies in view, below the first wrong pair of
  /// what was encoded anew, resized or made brighter or darker (by up to 30 %); then compared on both halves,
  /// so neither is a test that the value had not seen. With keys within 8 bits 98.6 % of the first half's pairs
  /// are found and 97.7 % of the second's, 98.2 % of all, and no wrong pair in either; within 6 bits 96.8 %,
  /// within 10 98.3 %. The keys alone find 99.6 % within 8 bits, and their pairs are wrong more often than right.
  /// Within 12 bits 16 other pairs lie under the threshold, of look-alikes and natural copies, but for one of a
  /// mirrored emoji: `pairloom-bench duplicates --table` lists them.
  public static let usualDifference = 285

  /// The ``difference(from:)`` where both are one picture: keys within `radius`, confirmed by the
  /// thumbnails; nil where they are not.
  ///
  /// A picture of one colour is none that shows something, however faint.
  public func differenceIfSame(as other: PictureSignature, radius: Int) -> Int? {
    guard isFlat == other.isFlat, distance(to: other) <= radius, isEven == other.isEven else {
      return nil
    }
    let difference = difference(from: other)
    return difference <= Self.usualDifference ? difference : nil
  }

  /// Whether both are one picture, as ``differenceIfSame(as:radius:)`` has it.
  public func isSamePicture(as other: PictureSignature, radius: Int) -> Bool {
    differenceIfSame(as: other, radius: radius) != nil
  }

  /// Hexadecimal digits, for tables.
  public var text: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// - Parameter text: What ``text`` gave; nil for anything else.
  public init?(text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 2 * Self.byteCount else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.value(ofDigit: digits[index]),
        let low = Self.value(ofDigit: digits[index + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    self.init(bytes: bytes)
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
