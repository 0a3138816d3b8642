import ContentHashing
import CrawlPolicy
import DurableFiles
import Glibc

/// A file of the web, fetched whole: resumed where it was cut, checked before it gets its name.
///
/// Not for lists of URLs: one after the other, without policy and manners of a crawl, by a person who named it.
/// What has come lies in `PATH.part` until then; a second call goes on from there where the server still has the
/// same file (`Range` with `If-Range`). Blocks its thread.
public struct FileDownload: Sendable {
  public var url: String
  /// Where the file goes; its folder is made.
  public var path: String
  /// What must be the file's SHA-256, in hexadecimal digits.
  public var sha256: String?
  /// What git must call its bytes, in 40 hexadecimal digits: how a hub names a small file.
  public var gitBlob: String?
  /// The SHA-256 that the file had when it last came from this very URL.
  ///
  /// One that is there with it need not be fetched again; one that is fetched may have another.
  public var formerSHA256: String?
  /// Its size, where it is known beforehand.
  public var size: Int?
  /// Sent as `Authorization: Bearer` to the URL's own scheme, host and port, and nowhere else.
  public var token: String?
  public var maxBytes: Int
  /// Tries after a cut or an answer that may pass.
  public var attempts = 6
  public var userAgent = "pairloom"
  /// Seconds without a byte after which a try is given up.
  public var silence = 60
  /// Seconds until the second try; twice as many until each further one.
  public var firstPause = 1.0

  public init(
    _ url: String, to path: String, sha256: String? = nil, size: Int? = nil, token: String? = nil,
    maxBytes: Int = 1 << 40
  ) {
    self.url = url
    self.path = path
    self.sha256 = sha256?.lowercased()
    self.size = size
    self.token = token
    self.maxBytes = maxBytes
  }

  /// What came of it.
  public struct Outcome: Sendable, Equatable {
    public var bytes = 0
    /// Of them, those that had come in an earlier call or try.
    public var resumedFrom = 0
    public var sha256 = ""
    /// Whether the file was there already, and right.
    public var wasThere = false
  }

  static let mostRedirects = 10

  /// - Parameter onProgress: Told the bytes that are there, and all of them where they are known.
  /// - Returns: What is there now.
  /// - Throws: ``FileDownloadError``, `FileError`.
  public func run(_ onProgress: @escaping (Int, Int?) -> Void = { _, _ in }) throws -> Outcome {
    guard let target = FetchURL(url) else { throw FileDownloadError(.badURL, url: url) }
    if let slash = path.lastIndex(of: "/") {
      try DurableFile.makeFolder(String(path[..<max(slash, path.index(after: path.startIndex))]))
    }
    if let known = try standing() { return known }
    if let size { try requireRoom(size, free: nil) }
    guard let part = try PartFile(for: path) else {
      throw FileDownloadError(.inUse(path), url: url)
    }
    var outcome = Outcome()
    var pause = firstPause
    for attempt in 1... {
      do {
        outcome.resumedFrom = max(outcome.resumedFrom, try fetch(target, into: part, onProgress))
        break
      } catch let error as FileDownloadError {
        guard error.isPassing, attempt < attempts else {
          if part.size == 0 { try part.discard() }
          throw error
        }
      }
      usleep(UInt32(min(pause, 60) * 1e6))
      pause *= 2
    }
    if let size, part.size != size {
      let actual = part.size
      try part.discard()
      throw FileDownloadError(.wrongSize(expected: size, actual: actual), url: url)
    }
    outcome.bytes = part.size
    outcome.sha256 = try part.sha256()
    if let sha256, outcome.sha256 != sha256 {
      try part.discard()
      throw FileDownloadError(.wrongHash(expected: sha256, actual: outcome.sha256), url: url)
    }
    if let gitBlob {
      let actual = try FileDigest.gitBlob(of: part.path)
      guard actual == gitBlob else {
        try part.discard()
        throw FileDownloadError(.wrongBlob(expected: gitBlob, actual: actual), url: url)
      }
    }
    try part.publish()
    return outcome
  }

  /// The file, where it is there and a digest says that it is the one that is asked for.
  ///
  /// Its size alone does not: another state of a small file is often as long.
  private func standing() throws -> Outcome? {
    guard DurableFile.exists(path) else { return nil }
    let reader = try FileReader(path)
    var outcome = Outcome(bytes: reader.size, wasThere: true)
    guard size == nil || size == reader.size else { return nil }
    guard sha256 != nil || gitBlob != nil || formerSHA256 != nil else { return nil }
    outcome.sha256 = try FileDigest.sha256(of: path)
    if let sha256 { return sha256 == outcome.sha256 ? outcome : nil }
    if let gitBlob { return try FileDigest.gitBlob(of: path) == gitBlob ? outcome : nil }
    return formerSHA256 == outcome.sha256 ? outcome : nil
  }

  func requireRoom(_ bytes: Int, free: Int?) throws {
    guard bytes <= maxBytes else {
      throw FileDownloadError(.tooLarge(bytes: bytes, limit: maxBytes), url: url)
    }
    if let free, bytes > free {
      throw FileDownloadError(.noSpace(needed: bytes, free: free), url: url)
    }
  }
}
