import DurableFiles
import ImageCodec
import PerceptualHash
import PipelineCore

/// What is asked of a decoding process.
enum DecodeRequest: Equatable {
  case picture(PictureRequest)
  /// What a body shows.
  case examine([UInt8])
  /// Whether the codecs work at all.
  case selfTest(isLarge: Bool)

  var bytes: [UInt8] {
    var wire = WireWriter()
    switch self {
    case .picture(let request):
      wire.int(0)
      wire.text(request.path)
      wire.int(request.bytes.offset)
      wire.int(request.bytes.length)
      wire.int(request.boxes.count)
      for number in request.boxes.joined() { wire.int(Int(truncatingIfNeeded: number.bitPattern)) }
    case .selfTest(let isLarge):
      wire.int(1)
      wire.int(isLarge ? 1 : 0)
    case .examine(let body):
      wire.int(2)
      wire.data(body)
    }
    return wire.bytes
  }

  init?(_ bytes: [UInt8]) {
    var wire = WireReader(bytes)
    switch wire.int() {
    case 0:
      guard let path = wire.text(), let offset = wire.int(), let length = wire.int(),
        let boxes = wire.array(
          width: 4 * 8,
          { wire in
            let words = (0..<4).compactMap { _ in wire.int() }
            return words.map { Double(bitPattern: UInt64(truncatingIfNeeded: $0)) }
          })
      else { return nil }
      self = .picture(
        PictureRequest(path: path, bytes: ByteRange(offset: offset, length: length), boxes: boxes))
    case 1:
      guard let isLarge = wire.int() else { return nil }
      self = .selfTest(isLarge: isLarge == 1)
    case 2:
      guard let body = wire.data() else { return nil }
      self = .examine(body)
    default: return nil
    }
    guard wire.isAtEnd else { return nil }
  }
}

/// What a decoding process answers.
enum DecodeAnswer: Equatable {
  case picture(Picture)
  case examined(Result<ExaminedPicture, PictureRefusal>)
  /// The file of the bodies ends early: so many bytes are there.
  case cut(count: Int)
  case fileError(FileError)
  /// What does not work; nil when all does.
  case selfTest(problem: String?)

  var bytes: [UInt8] {
    var wire = WireWriter()
    switch self {
    case .picture(let picture):
      wire.int(0)
      picture.write(to: &wire)
    case .cut(let count):
      wire.int(1)
      wire.int(count)
    case .fileError(let error):
      wire.int(2)
      wire.text(error.operation)
      wire.text(error.path)
      wire.int(Int(error.errorNumber))
    case .selfTest(let problem):
      wire.int(3)
      wire.optional(problem) { $0.text($1) }
    case .examined(.success(let picture)):
      wire.int(4)
      wire.int(picture.width)
      wire.int(picture.height)
      wire.text(picture.format.rawValue)
      wire.data(picture.signature.bytes)
    case .examined(.failure(let refusal)):
      wire.int(5)
      refusal.drop.write(to: &wire)
    }
    return wire.bytes
  }

  init?(_ bytes: [UInt8]) {
    var wire = WireReader(bytes)
    switch wire.int() {
    case 0:
      guard let picture = Picture(from: &wire) else { return nil }
      self = .picture(picture)
    case 1:
      guard let count = wire.int() else { return nil }
      self = .cut(count: count)
    case 2:
      guard let operation = wire.text(), let path = wire.text(), let code = wire.int() else {
        return nil
      }
      self = .fileError(
        FileError(
          operation: operation, path: path, errorNumber: Int32(truncatingIfNeeded: code)))
    case 3:
      guard let problem = wire.optional({ $0.text() }) else { return nil }
      self = .selfTest(problem: problem.value)
    case 4:
      guard let width = wire.int(), let height = wire.int(),
        let format = wire.text().flatMap(ImageFormat.init(rawValue:)),
        let signature = wire.data().flatMap(PictureSignature.init(bytes:))
      else { return nil }
      self = .examined(
        .success(
          ExaminedPicture(width: width, height: height, format: format, signature: signature)))
    case 5:
      guard let drop = Drop(from: &wire) else { return nil }
      self = .examined(.failure(PictureRefusal(drop: drop)))
    default: return nil
    }
    guard wire.isAtEnd else { return nil }
  }
}

extension Picture {
  fileprivate func write(to wire: inout WireWriter) {
    wire.data(bytes)
    wire.text(format)
    wire.int(width)
    wire.int(height)
    wire.optional(originalWidth) { $0.int($1) }
    wire.optional(originalHeight) { $0.int($1) }
    wire.optional(phash) { $0.text($1) }
    wire.optional(signature) { $0.text($1) }
    wire.optional(exif) { $0.text($1) }
    wire.optional(source?.rawValue) { $0.text($1) }
    wire.optional(drop) { $1.write(to: &$0) }
  }

  fileprivate init?(from wire: inout WireReader) {
    guard let bytes = wire.data(), let format = wire.text(), let width = wire.int(),
      let height = wire.int(), let originalWidth = wire.optional({ $0.int() }),
      let originalHeight = wire.optional({ $0.int() }), let phash = wire.optional({ $0.text() }),
      let signature = wire.optional({ $0.text() }), let exif = wire.optional({ $0.text() }),
      let source = wire.optional({ $0.text().flatMap(ImageFormat.init(rawValue:)) }),
      let drop = wire.optional({ Drop(from: &$0) })
    else { return nil }
    // A picture is kept or dropped, never both or neither.
    guard (drop.value == nil) == !bytes.isEmpty else { return nil }
    self.init(
      bytes: bytes, format: format, width: width, height: height,
      originalWidth: originalWidth.value, originalHeight: originalHeight.value,
      phash: phash.value, signature: signature.value, exif: exif.value, drop: drop.value,
      source: source.value)
  }
}

extension Drop {
  fileprivate func write(to wire: inout WireWriter) {
    wire.text(reason.rawValue)
    wire.text(detail)
  }

  fileprivate init?(from wire: inout WireReader) {
    guard let reason = wire.text().flatMap(DropReason.init(rawValue:)), let detail = wire.text()
    else { return nil }
    self.init(reason, detail: detail)
  }
}
