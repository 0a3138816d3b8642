import ContentHashing
import DurableFiles

/// What was asked back: a URL, a host, a picture or a pair.
///
/// A URL is kept as the SHA-256 of its normalised form: the file that keeps it out of the run must not
/// be where it survives. Whoever has the URL can still ask whether it is there. A host is kept as it
/// is, for it names no pair, and so are the digests that the others are.
public struct ForgetRequest: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable {
    case url, host, hash, uid
  }

  public let kind: Kind
  /// For a URL the digest, 64 hexadecimal digits; a host in its ASCII form, lower case; a SHA-256 of
  /// downloaded bytes, 64 hexadecimal digits; a uid.
  public let value: String

  init(kind: Kind, value: String) {
    self.kind = kind
    self.value = value
  }

  /// - Parameters:
  ///   - kind: What `text` names.
  ///   - text: As a person gives it.
  /// - Throws: ``ForgetRequestError`` where it names nothing of its kind.
  public init(_ kind: Kind, _ text: String) throws(ForgetRequestError) {
    func isHexadecimal(_ count: Int) -> Bool {
      text.utf8.count == count && text.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
    self.kind = kind
    switch kind {
    case .url:
      guard let normalized = NormalizedURL.normalize(text) else {
        throw ForgetRequestError(kind: kind, text: text, expected: "an http or https URL")
      }
      value = Self.digest(ofNormalized: normalized)
    case .host:
      guard !text.contains("/"), let host = NormalizedURL.host(of: "http://\(text)"),
        !host.isEmpty
      else {
        throw ForgetRequestError(
          kind: kind, text: text, expected: "a host's name alone, such as example.org")
      }
      value = host
    case .hash:
      guard isHexadecimal(64) else {
        throw ForgetRequestError(
          kind: kind, text: text,
          expected: "the SHA-256 of the downloaded bytes, 64 hexadecimal digits (column sha256)")
      }
      value = text.lowercased()
    case .uid:
      guard !text.isEmpty, !text.utf8.contains(where: { $0 <= 0x20 }) else {
        throw ForgetRequestError(
          kind: kind, text: text, expected: "a uid, as in the shards' tables (column uid)")
      }
      value = text
    }
  }

  static func digest(ofNormalized url: String) -> String { ContentHash.sha256Hex(Array(url.utf8)) }
}

/// A request that names nothing.
public struct ForgetRequestError: Error, Sendable, Equatable, CustomStringConvertible {
  public var kind: ForgetRequest.Kind
  public var text: String
  public var expected: String

  public var description: String { "--\(kind.rawValue) \(text): give \(expected)." }
}

/// What a run must not fetch or ship again: the file `forgotten.jsonl`.
///
/// A line for each request, the oldest first: `kind`, `value` (``ForgetRequest``), `at` (when it was
/// first made, milliseconds since 1970), `uids`, the pairs that it took out, `pictures`, and `done`.
public struct ForgottenPairs: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var request: ForgetRequest
    /// Milliseconds since 1970.
    public var at: Int
    /// Sorted.
    public var uids: [String]
    /// What deduplication kept of these pairs, by row: what was dropped as a duplicate of one stays so.
    public var pictures: [Picture] = []
    /// Whether all files were rewritten; an interrupted request is ended by `pairloom forget`.
    public var isDone: Bool
  }

  /// A picture that was taken out.
  public struct Picture: Sendable, Hashable {
    /// Of the list.
    public var row: Int
    /// Of the downloaded bytes, 64 hexadecimal digits.
    public var sha256: String

    public init(row: Int, sha256: String) {
      self.row = row
      self.sha256 = sha256
    }
  }

  public private(set) var entries: [Entry] = []
  private var values: [ForgetRequest.Kind: Set<String>] = [:]
  private var uids: Set<String> = []
  /// The rows of pictures that were taken out, by SHA-256.
  private var rows: [String: Int] = [:]

  public init() {}

  /// What the run in `folder` has forgotten; nothing where nobody has asked.
  ///
  /// - Throws: ``TableError`` where the file is damaged: no run goes on without it.
  public static func read(_ folder: RunFolder) throws -> ForgottenPairs {
    var result = ForgottenPairs()
    guard DurableFile.exists(folder.forgotten) else { return result }
    let entries = try JSONLines.read(folder.forgotten) { row -> Entry? in
      // Files of earlier versions have no pictures.
      var pictures: [JSONValue] = []
      if case .array(let known) = row["pictures"] { pictures = known }
      guard let kind = row["kind"]?.text.flatMap(ForgetRequest.Kind.init(rawValue:)),
        let value = row["value"]?.text, let at = row["at"]?.integer,
        case .array(let uids) = row["uids"]
      else { return nil }
      return Entry(
        request: ForgetRequest(kind: kind, value: value), at: at, uids: uids.compactMap(\.text),
        pictures: pictures.compactMap(Picture.init),
        isDone: row["done"] == .bool(true))
    }
    for entry in entries {
      result.add(entry.request, at: entry.at, uids: entry.uids, pictures: entry.pictures)
      result.entries[result.entries.count - 1].isDone = entry.isDone
    }
    return result
  }

  public func write(to folder: RunFolder) throws {
    try JSONLines.write(
      entries.map { entry in
        .object([
          .init("kind", .string(entry.request.kind.rawValue)),
          .init("value", .string(entry.request.value)), .init("at", .int(entry.at)),
          .init("uids", .array(entry.uids.map { .string($0) })),
          .init("pictures", .array(entry.pictures.map(\.json))), .init("done", .bool(entry.isDone)),
        ])
      }, to: folder.forgotten)
  }

  /// Adds a request that is yet to be done, or pairs that a known one has taken out.
  public mutating func add(
    _ request: ForgetRequest, at: Int, uids new: some Sequence<String>,
    pictures newPictures: [Picture] = []
  ) {
    let new = Set(new)
    uids.formUnion(new)
    for picture in newPictures { rows[picture.sha256] = picture.row }
    values[request.kind, default: []].insert(request.value)
    if let known = entries.firstIndex(where: { $0.request == request }) {
      entries[known].uids = new.union(entries[known].uids).sorted()
      entries[known].pictures = Picture.sorted(newPictures + entries[known].pictures)
      entries[known].isDone = false
    } else {
      entries.append(
        Entry(
          request: request, at: at, uids: new.sorted(), pictures: Picture.sorted(newPictures),
          isDone: false))
    }
  }

  /// Marks all requests as done.
  public mutating func finish() {
    for index in entries.indices { entries[index].isDone = true }
  }

  /// Whether a request was begun and not ended.
  public var isInterrupted: Bool { entries.contains { !$0.isDone } }

  /// Whether a pair was taken out.
  public func contains(uid: String) -> Bool { uids.contains(uid) }

  public var isEmpty: Bool { entries.isEmpty }

  /// The requests that bear on a pair by its uid or by one of the URLs that it came from.
  public func requests(uid: String, urls: [String]) -> Set<ForgetRequest> {
    var found: Set<ForgetRequest> = []
    func look(_ kind: ForgetRequest.Kind, _ value: String) {
      if values[kind]?.contains(value) == true { found.insert(.init(kind: kind, value: value)) }
    }
    look(.uid, uid)
    guard values[.url] != nil || values[.host] != nil else { return found }
    for url in urls {
      if values[.url] != nil, let normalized = NormalizedURL.normalize(url) {
        look(.url, ForgetRequest.digest(ofNormalized: normalized))
      }
      guard values[.host] != nil, let host = NormalizedURL.host(of: url) else { continue }
      var rest = Substring(host)
      look(.host, host)
      while let dot = rest.firstIndex(of: ".") {
        rest = rest[rest.index(after: dot)...]
        look(.host, String(rest))
      }
    }
    return found
  }

  /// Whether a request bears on one of these URLs.
  public func bears(onAny urls: [String]) -> Bool {
    // No pair has an empty uid.
    !isEmpty && !requests(uid: "", urls: urls).isEmpty
  }

  /// The row whose picture with this SHA-256 was kept until it was taken out.
  public func row(ofPicture sha256: String) -> Int? { rows[sha256] }

  /// The request that bears on a picture by the SHA-256 of its downloaded bytes.
  public func request(sha256: String) -> ForgetRequest? {
    contains(sha256: sha256) ? ForgetRequest(kind: .hash, value: sha256) : nil
  }

  /// Whether bytes with this SHA-256, 64 hexadecimal digits, must not come back.
  public func contains(sha256: String) -> Bool { values[.hash]?.contains(sha256) == true }

  /// Throws where a request was begun and not ended: no run may go on, and nothing may be published.
  ///
  /// - Throws: ``ForgetInterruptedError``; ``TableError`` where the file is damaged.
  public static func requireEnded(in folder: RunFolder) throws {
    if try read(folder).isInterrupted { throw ForgetInterruptedError(folder: folder.path) }
  }

  /// Tells the candidates that must not be fetched from the others.
  public func split(_ candidates: [PairCandidate]) -> (
    taken: [PairCandidate], wanted: [PairCandidate]
  ) {
    var (taken, wanted): ([PairCandidate], [PairCandidate]) = ([], [])
    for each in candidates {
      let isTaken =
        each.isForgotten
        || !isEmpty
          && (uids.contains(each.uid) || !requests(uid: each.uid, urls: [each.url]).isEmpty)
      if isTaken { taken.append(each) } else { wanted.append(each) }
    }
    return (taken, wanted)
  }
}

extension ForgottenPairs.Picture {
  fileprivate var json: JSONValue {
    .object([.init("row", .int(row)), .init("sha256", .string(sha256))])
  }

  fileprivate init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let sha256 = json["sha256"]?.text else { return nil }
    self.init(row: row, sha256: sha256)
  }

  /// Each once, by row.
  fileprivate static func sorted(_ pictures: [Self]) -> [Self] {
    Set(pictures).sorted { ($0.row, $0.sha256) < ($1.row, $1.sha256) }
  }
}

/// A run may not go on: what must not be fetched or shipped is still in its files.
public struct ForgetInterruptedError: RunFault, Equatable, CustomStringConvertible {
  public var folder: String

  public init(folder: String) { self.folder = folder }

  public var description: String {
    "\(folder): a request to forget pairs was begun and not ended. End it with"
      + " `pairloom forget \(folder)`, then go on."
  }
}
