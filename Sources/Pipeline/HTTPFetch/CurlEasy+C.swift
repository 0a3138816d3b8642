import CCurl
import CrawlPolicy
import Glibc

/// One libcurl easy handle and the callbacks that feed its exchange.
///
/// Reused for many exchanges.
/// Pointer contract: the handle's callbacks get this object unretained. libcurl calls them only
/// inside calls on the multi handle that the easy handle is added to; `CurlMulti` holds the object
/// from `add` to `remove`, and `deinit` frees the handle, so the pointer is valid at every call. All
/// of it happens on the loop thread.
@safe final class CurlEasy {
  let handle: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>
  /// The addresses of the exchange's host, in libcurl's words; owned.
  private var resolved: UnsafeMutablePointer<curl_slist>?
  /// Whether the exchange's host is an address, so that libcurl's resolver has only to parse it.
  fileprivate var isLiteral = true
  fileprivate let settings: CurlSettings
  /// Bytes of headers and of the decoded body that came in this exchange.
  fileprivate(set) var heard = 0
  /// Kept by `SilenceWatch`.
  var silence = Silence()
  /// The proxy's addresses, which the guard lets be.
  fileprivate var trusted: [IPAddress] = []
  /// Why the last socket could not be made.
  fileprivate var socketProblem: String?
  /// Why this machine makes no sockets at all: no host is to be blamed for that.
  fileprivate(set) var machineProblem: FetcherError?
  let sink: ResponseSink
  /// An address that the guard refused in this exchange, unless another was tried.
  fileprivate(set) var refusedAddress: IPAddress?
  fileprivate(set) var triedAddress = false
  /// What the exchange is for.
  var transfer: Transfer?

  init(settings: CurlSettings, sink: ResponseSink) throws(FetcherError) {
    guard let handle = unsafe curl_easy_init() else {
      throw FetcherError(operation: "curl_easy_init", detail: "out of memory")
    }
    unsafe self.handle = handle
    unsafe self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    self.settings = settings
    self.sink = sink
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe setPointer(CURLOPT_PRIVATE, context)
    unsafe setPointer(CURLOPT_WRITEDATA, context)
    unsafe setPointer(CURLOPT_HEADERDATA, context)
    unsafe setPointer(CURLOPT_OPENSOCKETDATA, context)
    unsafe setPointer(CURLOPT_RESOLVER_START_DATA, context)
    // Safe: freed in deinit, after the handle.
    unsafe setPointer(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
    check(
      unsafe pairloom_easy_set_sink(handle, CURLOPT_WRITEFUNCTION, receiveBody), "WRITEFUNCTION")
    check(
      unsafe pairloom_easy_set_sink(handle, CURLOPT_HEADERFUNCTION, receiveHeader), "HEADERFUNC")
    check(unsafe pairloom_easy_set_open_socket(handle, openSocket), "OPENSOCKETFUNCTION")
    check(unsafe pairloom_easy_set_resolver_start(handle, startResolver), "RESOLVER_START")

    configure(settings.options)
  }

  private func configure(_ options: FetchOptions) {
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    // Safe: the settings live as long as this object, and outlive the handle.
    check(unsafe pairloom_easy_set_list(handle, CURLOPT_HTTPHEADER, settings.headers), "HEADERS")
    unsafe setPointer(CURLOPT_SHARE, settings.share)
    set(CURLOPT_USERAGENT, options.userAgent)
    set(CURLOPT_ACCEPT_ENCODING, "")  // all that libcurl decodes
    // Set even if empty: the environment's proxy must not come in behind the guard's back.
    set(CURLOPT_PROXY, settings.proxy?.text ?? "")
    set(CURLOPT_NOPROXY, "")
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)  // a proxy's answer to CONNECT is not the site's
    // Each hop is our own request, so that it passes URL check, host limit and address guard.
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_NOSIGNAL, 1)  // no SIGALRM
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_LOW_SPEED_LIMIT, options.lowSpeedBytesPerSecond)
    set(CURLOPT_LOW_SPEED_TIME, options.lowSpeedSeconds)
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    set(CURLOPT_DNS_CACHE_TIMEOUT, 300)
    if let file = options.caFile {
      set(CURLOPT_CAINFO, file)
      set(CURLOPT_PROXY_CAINFO, file)
    }
    if options.caFile != nil || CurlSettings.hasAuthoritiesFile {
      // Safe: a null string unsets the option.
      check(unsafe pairloom_easy_set_string(handle, CURLOPT_CAPATH, nil), "CAPATH")
    }
    guard !options.verifyTLS else { return }
    for option in [CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST] { set(option, 0) }
    for option in [CURLOPT_PROXY_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYHOST] { set(option, 0) }
  }

  deinit {
    unsafe curl_easy_cleanup(handle)
    unsafe errorText.deallocate()
    unsafe curl_slist_free_all(resolved)
  }

  /// Readies the handle for one exchange.
  ///
  /// - Parameters:
  ///   - url: What to ask for.
  ///   - addresses: Of the URL's host, or of the proxy; empty where that is an address itself.
  ///   - connectTimeout: For TCP and TLS, seconds.
  ///   - deadline: For the whole exchange, seconds.
  ///   - fileLimit: As in `ResponseSink.begin`.
  func prepare(
    url: FetchURL, addresses: [IPAddress], connectTimeout: Double, deadline: Double,
    fileLimit: Int? = nil
  ) {
    sink.begin(source: url.text, fileLimit: fileLimit)
    heard = 0
    refusedAddress = nil
    socketProblem = nil
    machineProblem = nil
    triedAddress = false
    unsafe errorText.pointee = 0
    set(CURLOPT_URL, url.text)
    setAddresses(addresses, of: url)
    // Rather wait for a connection under way, which may carry many at once, than make another.
    set(CURLOPT_PIPEWAIT, url.isSecure ? 1 : 0)
    set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(connectTimeout * 1000)))
    set(CURLOPT_TIMEOUT_MS, max(1, Int(deadline * 1000)))
  }

  /// Puts the addresses into libcurl's cache of names, from where a connection takes them.
  ///
  /// The "+" makes them expire as looked-up ones do (CURLOPT_RESOLVE(3)).
  private func setAddresses(_ addresses: [IPAddress], of url: FetchURL) {
    isLiteral = addresses.isEmpty
    let proxy = settings.proxy
    if let proxy { trusted = isLiteral ? [proxy.address].compactMap { $0 } : addresses }
    unsafe curl_slist_free_all(resolved)
    unsafe resolved = nil
    if !isLiteral {
      let list = addresses.map { address in
        if case .v4 = address { "\(address)" } else { "[\(address)]" }
      }
      let entry =
        "+\(proxy?.name ?? url.name):\(proxy?.port ?? url.port):\(list.joined(separator: ","))"
      unsafe resolved = curl_slist_append(nil, entry)
    }
    // Safe: the list lives until the next exchange or `deinit`, which frees the handle first.
    check(unsafe pairloom_easy_set_list(handle, CURLOPT_RESOLVE, resolved), "RESOLVE")
  }

  /// Whether nothing came for `deadline` seconds since the request went out.
  func isFirstByteOverdue(after deadline: Double, now: Double) -> Bool {
    let sent = seconds(CURLINFO_PRETRANSFER_TIME_T)
    guard let transfer, sent > 0, now - transfer.exchangeBegan - sent >= deadline else {
      return false
    }
    return seconds(CURLINFO_STARTTRANSFER_TIME_T) == 0
  }

  /// How an exchange that libcurl gave up failed.
  func failure(_ code: CURLcode) -> (FetchFailure, detail: String) {
    if code == CURLE_COULDNT_CONNECT, !triedAddress {
      if let refusedAddress { return (.addressRefused, "\(refusedAddress)") }
      if let socketProblem { return (.connect, socketProblem) }
    }
    // libcurl gathers a line before it gives it, and is "out of memory" beyond 100 KiB.
    let hasBegun = seconds(CURLINFO_STARTTRANSFER_TIME_T) > 0
    if code == CURLE_OUT_OF_MEMORY, hasBegun, !sink.headersEnded {
      return (.protocolError, "a header line of more than 100 KiB")
    }
    // Safe: libcurl ends the buffer with a NUL; strerror's strings are constants.
    var words = unsafe String(cString: errorText)
    if words.isEmpty { words = unsafe String(cString: curl_easy_strerror(code)) }
    return (FetchFailure(code, words: words), words)
  }

  private func set(_ option: CURLoption, _ value: Int) {
    check(unsafe pairloom_easy_set_long(handle, option, value), "\(option)")
  }

  private func set(_ option: CURLoption, _ value: String) {
    check(unsafe pairloom_easy_set_string(handle, option, value), "\(option)")
  }

  private func setPointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
    check(unsafe pairloom_easy_set_pointer(handle, option, value), "\(option)")
  }

  /// An option that libcurl does not know or cannot store is a broken build, not a failed fetch.
  private func check(_ code: CURLcode, _ option: @autoclosure () -> String) {
    precondition(code == CURLE_OK, "curl_easy_setopt \(option()): code \(code.rawValue)")
  }
}

private func easy(_ context: UnsafeMutableRawPointer?) -> CurlEasy? {
  // Safe: see CurlEasy's pointer contract.
  unsafe context.map { unsafe Unmanaged<CurlEasy>.fromOpaque($0).takeUnretainedValue() }
}

private let receiveBody: curl_write_callback = { data, size, count, context in
  guard let data = unsafe data, let easy = unsafe easy(context) else { return 0 }
  easy.heard += size * count
  return unsafe withSpan(data, size * count) { easy.sink.bytes($0) } ? size * count : stopped
}

private let receiveHeader: curl_write_callback = { data, size, count, context in
  guard let data = unsafe data, let easy = unsafe easy(context) else { return 0 }
  easy.heard += size * count
  return unsafe withSpan(data, size * count) { easy.sink.header($0) } ? size * count : stopped
}

/// Any count but the given one stops a transfer; this one is never given, not even for 0 bytes.
private let stopped = Int(CURL_WRITEFUNC_ERROR)

private func withSpan(
  _ data: UnsafeMutablePointer<CChar>, _ count: Int, _ body: (Span<UInt8>) -> Bool
) -> Bool {
  // Safe: libcurl gives `count` readable bytes for the time of its call; the span ends before.
  unsafe data.withMemoryRebound(to: UInt8.self, capacity: count) {
    body(unsafe Span(_unsafeStart: UnsafePointer($0), count: count))
  }
}

/// Refuses to look up a name that came without addresses: libcurl would start a thread for it.
private let startResolver: curl_resolver_start_callback = { _, _, context in
  guard let easy = unsafe easy(context) else { return 1 }
  return easy.isLiteral ? 0 : 1
}

private let openSocket: curl_opensocket_callback = { context, _, address in
  let refused: curl_socket_t = -1  // CURL_SOCKET_BAD
  guard let address = unsafe address, let easy = unsafe easy(context) else { return refused }
  // Safe: libcurl fills addrlen bytes of the address, which may reach past the `addr` member into
  // the storage that it keeps behind it; they are read within this call.
  let length = Int(unsafe address.pointee.addrlen)
  let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
  let bytes = unsafe Array(
    UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + offset, count: length))
  guard let target = IPAddress(socketAddress: bytes),
    easy.trusted.contains(target) || easy.settings.addressGuard.allows(target)
  else {
    easy.refusedAddress = IPAddress(socketAddress: bytes)
    return refused
  }
  let family = unsafe address.pointee.family
  let descriptor = unsafe socket(
    family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
  if descriptor < 0, [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(errno) {
    easy.machineProblem = FetcherError(systemCall: "make a socket")
    return refused
  }
  var problem = descriptor < 0 ? unsafe String(cString: strerror(errno)) : nil
  if problem == nil, let source = easy.settings.source {
    problem = source.bind(descriptor, family: family)
    if problem != nil { close(descriptor) }
  }
  if let problem {
    easy.socketProblem = problem
    return refused
  }
  easy.triedAddress = true
  return descriptor
}
