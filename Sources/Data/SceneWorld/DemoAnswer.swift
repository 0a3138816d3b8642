import ImageCodec
import SeededRandom

/// What the demo's origin answers to one request.
public struct DemoAnswer: Equatable, Sendable {
  public var status: Int
  public var mediaType: String
  public var body: [UInt8]
  /// The number of bytes of `body` to send before the connection closes; nil sends all.
  public var cutAfter: Int?
  /// The value of Retry-After.
  public var retryAfter: Int?

  public init(
    status: Int, mediaType: String, body: [UInt8], cutAfter: Int? = nil, retryAfter: Int? = nil
  ) {
    self.status = status
    self.mediaType = mediaType
    self.body = body
    self.cutAfter = cutAfter
    self.retryAfter = retryAfter
  }

  /// A short plain text.
  public init(status: Int, text: String) {
    self.init(status: status, mediaType: "text/plain; charset=utf-8", body: Array(text.utf8))
  }
}

extension DemoWorld {
  /// The answer to the request number `request` (from 0) for the path of row `id`.
  ///
  /// Renders and encodes on the fly, about 0.1 to 1 ms; the same arguments give the same bytes.
  ///
  /// - Throws: `ImageError` where a picture cannot be encoded.
  public func answer(row id: Int, request: Int) throws -> DemoAnswer {
    let row = rows[id]
    switch row.fault {
    case .missing:
      return DemoAnswer(status: 404, text: "Not found.")
    case .heals500 where request < row.failuresBefore:
      return DemoAnswer(status: 500, text: "Out of order, try again.")
    case .heals503 where request < row.failuresBefore:
      return DemoAnswer(status: 503, text: "Busy, try again.")
    case .heals429 where request < row.failuresBefore:
      var answer = DemoAnswer(status: 429, text: "Too many requests.")
      answer.retryAfter = id % 8 == 0 ? 1 : 0
      return answer
    case .wrongType:
      let page =
        "<!DOCTYPE html>\n<html><title>Picture \(id)</title><p>Please log in.</p></html>\n"
      return DemoAnswer(
        status: 200, mediaType: "text/html; charset=utf-8", body: Array(page.utf8))
    default:
      let picture = try picture(of: row.duplicateOf ?? id)
      let body = row.fault == .corrupt ? Self.corrupted(picture, id: id, seed: seed) : picture
      return DemoAnswer(
        status: 200, mediaType: row.format.mediaType, body: body,
        cutAfter: row.fault == .truncated ? body.count / 2 : nil)
    }
  }

  /// The whole encoded picture of row `id`, faults aside.
  public func picture(of id: Int) throws -> [UInt8] {
    let row = rows[id]
    let image = SceneWorld.render(
      row.scene, variation: seed &+ UInt64(id) &* 0x9E37_79B9_7F4A_7C15)
    return switch row.format {
    case .jpeg: try ImageEncoder.jpeg(image, quality: 92)
    case .png: try ImageEncoder.png(image)
    case .webp: try ImageEncoder.webp(image, quality: 90)
    }
  }

  /// The row that a path names: nil when it is not one of the world's.
  public func row(at path: String) -> Int? {
    let bytes = Array(path.utf8)
    guard bytes.count >= 17, path.hasPrefix("/pictures/"),
      let id = Int(String(decoding: bytes[10..<16], as: UTF8.self)), rows.indices.contains(id)
    else { return nil }
    // The URL of a row that repeats another's is the other's.
    return rows[id].path == path ? id : nil
  }

  /// No whole picture any more: cut short, or random bytes behind the first twelve, or empty.
  private static func corrupted(_ picture: [UInt8], id: Int, seed: UInt64) -> [UInt8] {
    switch id % 8 {
    case 0: return []
    case 1...4: return Array(picture.prefix(picture.count * 2 / 5))
    default:
      var random = RandomStream(seed: seed, path: SceneWorld.Purpose.demo.rawValue, UInt64(id), 2)
      return Array(picture.prefix(12))
        + (12..<max(13, picture.count)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
  }
}
