package import CrawlPolicy

/// Why an exchange is not made, or not let run to its end.
package struct Refusal: Error, Equatable {
  package var failure: FetchFailure
  package var detail: String
  /// What it rests on, where it is one by policy.
  package var evidence: PolicyEvidence?
}

/// What one exchange has received so far, and whether it may go on.
///
/// Fed by libcurl's callbacks on the loop thread. It stops an exchange as soon as its outcome is
/// known: a refusal by policy or by Content-Length before any byte of the body is kept, first
/// bytes that are no picture, a body at its cap whatever its length was said to be (libcurl 7.88
/// enforces no CURLOPT_MAXFILESIZE once the transfer runs, nor after decompression).
package final class ResponseSink {
  private let maxBytes: Int
  private let policy: CrawlPolicy
  private let sniff: BodySniff?
  private var headerBytes = 0
  private var drainedBytes = 0
  private var isSniffed = false
  private let store: BodyStore
  /// What `body` counts for in the store's budget.
  private var held = 0
  /// The body's start, where memory was short.
  private var spilled = SpilledBytes()
  /// The body, or what of it is not spilled.
  private var body: [UInt8] = []
  private var source = ""
  /// The most bytes of an origin's file; nil for other bodies.
  private var fileLimit: Int?

  /// The status of the newest header block; 0 before the first.
  package private(set) var status = 0
  /// Whether the final header block (not one of a 1xx) has ended.
  package private(set) var headersEnded = false
  /// The newest header block's fields that something here reads.
  package private(set) var fields = ResponseFields()
  package private(set) var refusal: Refusal?
  /// Why the body could not be kept, which is no fault of the web's: nothing else can be fetched.
  package private(set) var problem: FetcherError?
  /// Whether the body is the beginning of a longer file, of which no more is wanted.
  package private(set) var isCut = false

  /// Bodies of error pages and redirects, and short ones that are no picture, are read up to here,
  /// to keep the connection; nothing of them is kept.
  private static let drainLimit = 64 << 10
  private static let headerLimit = 256 << 10
  /// What a Content-Length alone may make us allocate: a list full of liars must not fill memory.
  private static let reserveLimit = 1 << 20
  /// How many bytes `sniff` gets at the least, unless the body ends before, and at the most.
  private static let sniffedBytes = 64...4096

  package init(
    maxBytes: Int, policy: CrawlPolicy, sniff: BodySniff? = nil,
    store: BodyStore = BodyStore(budget: .max)
  ) {
    self.store = store
    self.maxBytes = maxBytes
    self.policy = policy
    self.sniff = sniff
  }

  /// Readies the sink for another exchange.
  ///
  /// - Parameters:
  ///   - source: The URL that is asked for.
  ///   - fileLimit: For an origin's file, whose answer no policy binds: how many bytes to take.
  package func begin(source: String, fileLimit: Int? = nil) {
    self.source = source
    self.fileLimit = fileLimit
    isCut = false
    headerBytes = 0
    drainedBytes = 0
    isSniffed = sniff == nil || fileLimit != nil
    status = 0
    headersEnded = false
    fields = ResponseFields()
    refusal = nil
    problem = nil
    dropBody()
  }

  package var isSuccess: Bool { (200..<300).contains(status) }

  /// Takes one header line with its line end; false stops the exchange.
  package func header(_ line: Span<UInt8>) -> Bool {
    headerBytes += line.count
    guard headerBytes <= Self.headerLimit else {
      return refuse(.protocolError, "more than \(Self.headerLimit) bytes of headers")
    }
    guard !headersEnded else { return true }  // a trailer
    var end = line.count
    while end > 0, line[end - 1] <= 0x20 { end -= 1 }
    if end == 0 { return endHeaders() }
    let text = line.extracting(..<end)
    if let code = ResponseFields.statusCode(text) {
      status = code
      fields = ResponseFields()
    } else {
      fields.take(text)
    }
    return true
  }

  /// Takes bytes of the decoded body; false stops the exchange.
  package func bytes(_ bytes: Span<UInt8>) -> Bool {
    guard isSuccess, refusal == nil else {
      drainedBytes += bytes.count
      return drainedBytes <= Self.drainLimit
    }
    let have = spilled.count + body.count
    if let fileLimit, have + bytes.count > fileLimit {
      for index in 0..<(fileLimit - have) { body.append(bytes[index]) }
      countHeld()
      isCut = true
      return false
    }
    guard fileLimit != nil || have + bytes.count <= maxBytes else {
      return refuse(.tooLarge, "more than \(maxBytes) bytes")
    }
    // Safe: the buffer is read inside the closure only.
    unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
    countHeld()
    if !isSniffed, body.count >= Self.sniffedBytes.lowerBound, !judgeStart() { return false }
    return !store.isFull || body.count < BodyStore.spillBytes || spillBody()
  }

  /// Says that the body is whole; judges the start of one too short to have been judged.
  package func end() {
    if isSuccess, refusal == nil, !isSniffed { _ = judgeStart() }
  }

  /// Hands the body over; the sink keeps none.
  ///
  /// nil, and `problem`, where it should have gone to disk and that failed.
  func takeBody() -> FetchedBody? {
    if store.isFull, !body.isEmpty, !spillBody() { return nil }
    defer { (body, spilled, held) = ([], SpilledBytes(), 0) }
    return FetchedBody(store: store, spilled: spilled, tail: body, held: held)
  }

  private func countHeld() {
    guard body.capacity != held else { return }
    store.hold(body.capacity - held)
    held = body.capacity
  }

  private func spillBody() -> Bool {
    do {
      try store.write(body, to: &spilled)
    } catch {
      problem = error
      return false
    }
    body = []
    countHeld()
    return true
  }

  /// Lets go of what has arrived.
  package func dropBody() {
    body = []
    countHeld()
    store.release(spilled)
    spilled = SpilledBytes()
  }

  private func endHeaders() -> Bool {
    guard !(100..<200).contains(status) else { return true }
    headersEnded = true
    guard isSuccess else { return true }
    if fileLimit == nil, !fields.policy.isEmpty,
      let evidence = policy.refusal(headers: fields.policy, source: source)
    {
      return refuse(FetchFailure(evidence.rule), evidence.text, evidence)
    }
    if fileLimit == nil, let contentLength = fields.contentLength {
      guard contentLength <= maxBytes else {
        return refuse(.tooLarge, "Content-Length \(contentLength), cap \(maxBytes)")
      }
      body.reserveCapacity(min(max(0, contentLength), Self.reserveLimit))
      countHeld()
    }
    return true
  }

  private func judgeStart() -> Bool {
    guard let sniff else { return true }
    switch sniff(body.prefix(Self.sniffedBytes.upperBound)) {
    case .undecided: isSniffed = body.count >= Self.sniffedBytes.upperBound
    case .wanted: isSniffed = true
    case .notAnImage: return refuseStart(.notAnImage, fields.contentType ?? "no Content-Type")
    case .unsupported(let kind): return refuseStart(.unsupportedFormat, kind)
    }
    return true
  }

  /// A short rest is let run out, as a new connection costs more; a long one is cut off.
  private func refuseStart(_ failure: FetchFailure, _ detail: String) -> Bool {
    _ = refuse(failure, detail)
    return fields.contentLength.map { $0 <= Self.drainLimit } ?? false
  }

  private func refuse(
    _ failure: FetchFailure, _ detail: String, _ evidence: PolicyEvidence? = nil
  ) -> Bool {
    refusal = Refusal(failure: failure, detail: detail, evidence: evidence)
    dropBody()
    return false
  }
}
