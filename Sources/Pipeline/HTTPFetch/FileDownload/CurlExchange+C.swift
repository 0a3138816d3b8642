import CCurl
import Glibc

/// One GET that blocks its thread; redirects are the caller's.
///
/// Pointer contract: as `CurlEasy`'s. libcurl calls back only inside `perform`, during which the caller holds
/// this object; `deinit` frees the handle first.
@safe final class CurlExchange {
  /// Status and headers of an answer, whose body follows.
  struct Head {
    var status = 0
    /// Names in lower case.
    var headers: [String: String] = [:]
  }

  /// Gets the head before the first byte; false stops.
  typealias HeadReader = (Head) -> Bool
  /// Gets bytes of the body; false stops.
  typealias BodyReader = (Span<UInt8>) -> Bool

  private let handle: UnsafeMutableRawPointer
  private var list: UnsafeMutablePointer<curl_slist>?
  private var head = Head()
  private var isHeadGiven = false
  private var onHead: HeadReader = { _ in true }
  private var onBody: BodyReader = { _ in true }

  /// - Parameters:
  ///   - url: What to ask for.
  ///   - headers: Lines of the request.
  ///   - userAgent: Who asks.
  ///   - silence: Seconds without a byte after which it is given up.
  /// - Throws: Where libcurl has no memory.
  init(
    _ url: FetchURL, headers: [String], userAgent: String, silence: Int
  ) throws(FetcherError) {
    try CurlLibrary.start()
    guard let handle = unsafe curl_easy_init() else {
      throw FetcherError(operation: "curl_easy_init", detail: "out of memory")
    }
    unsafe self.handle = handle
    for line in headers {
      guard let longer = unsafe curl_slist_append(list, line) else { continue }
      unsafe list = longer
    }
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    check(unsafe pairloom_easy_set_pointer(handle, CURLOPT_WRITEDATA, context))
    check(unsafe pairloom_easy_set_pointer(handle, CURLOPT_HEADERDATA, context))
    check(unsafe pairloom_easy_set_sink(handle, CURLOPT_WRITEFUNCTION, receiveBody))
    check(unsafe pairloom_easy_set_sink(handle, CURLOPT_HEADERFUNCTION, receiveHeader))
    // Safe: the list lives until deinit, which frees the handle first.
    check(unsafe pairloom_easy_set_list(handle, CURLOPT_HTTPHEADER, list))
    check(unsafe pairloom_easy_set_string(handle, CURLOPT_URL, url.text))
    check(unsafe pairloom_easy_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
    check(unsafe pairloom_easy_set_string(handle, CURLOPT_USERAGENT, userAgent))
    for (option, value) in [
      (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_NOSIGNAL, 1), (CURLOPT_CONNECTTIMEOUT, 20),
      (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, silence),
      (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)), (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
    ] {
      check(unsafe pairloom_easy_set_long(handle, option, value))
    }
  }

  deinit {
    unsafe curl_easy_cleanup(handle)
    unsafe curl_slist_free_all(list)
  }

  /// - Returns: The head, and what went wrong, where the body did not come to its end.
  func perform(onHead: @escaping HeadReader, onBody: @escaping BodyReader) -> (Head, String?) {
    self.onHead = onHead
    self.onBody = onBody
    let code = unsafe curl_easy_perform(handle)
    // An empty body gives no bytes.
    if code == CURLE_OK { _ = giveHead() }
    // Safe: strerror's strings are constants.
    return (head, code == CURLE_OK ? nil : unsafe String(cString: curl_easy_strerror(code)))
  }

  private func giveHead() -> Bool {
    guard !isHeadGiven else { return true }
    isHeadGiven = true
    return onHead(head)
  }

  fileprivate func takeHeader(_ line: String) {
    if line.hasPrefix("HTTP/") {
      // An interim answer comes before the real one.
      head = Head()
      head.status = Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
      return
    }
    guard let colon = line.firstIndex(of: ":"), head.headers.count < 200 else { return }
    let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    head.headers[line[..<colon].lowercased()] = String(
      value.reversed().drop { $0.isWhitespace }.reversed())
  }

  fileprivate func takeBody(_ bytes: Span<UInt8>) -> Bool { giveHead() && onBody(bytes) }

  private func check(_ code: CURLcode) {
    precondition(code == CURLE_OK, "curl_easy_setopt: code \(code.rawValue)")
  }
}

private func exchange(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
  // Safe: see CurlExchange's pointer contract.
  unsafe context.map { unsafe Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
}

/// Any count but the given one stops a transfer.
private let stopped = Int(CURL_WRITEFUNC_ERROR)

private let receiveBody: curl_write_callback = { data, size, count, context in
  guard let data = unsafe data, let exchange = unsafe exchange(context) else { return 0 }
  // Safe: libcurl gives these readable bytes for the time of its call; the span ends before.
  return unsafe data.withMemoryRebound(to: UInt8.self, capacity: size * count) {
    exchange.takeBody(unsafe Span(_unsafeStart: UnsafePointer($0), count: size * count))
  } ? size * count : stopped
}

private let receiveHeader: curl_write_callback = { data, size, count, context in
  guard let data = unsafe data, let exchange = unsafe exchange(context) else { return 0 }
  // Safe: as above.
  let line = unsafe data.withMemoryRebound(to: UInt8.self, capacity: size * count) {
    unsafe String(decoding: UnsafeBufferPointer(start: $0, count: size * count), as: UTF8.self)
  }
  exchange.takeHeader(line)
  return size * count
}
