import CCurl
import Glibc

/// libcurl's multi handle driven by epoll: the work per event does not grow with the transfers.
///
/// Every call, `deinit` included, is made on the loop thread. Pointer contract: the socket and timer
/// callbacks get this object unretained; libcurl calls them only inside the calls below.
@safe final class CurlMulti {
  private let handle: UnsafeMutableRawPointer
  private let epoll: Int32
  private let wakeup: Wakeup
  /// The descriptors that epoll knows, as far as libcurl has told.
  private var watched: Set<Int32> = []
  /// Where epoll writes what has happened.
  private let events: UnsafeMutableBufferPointer<epoll_event>
  private var added: [ObjectIdentifier: CurlEasy] = [:]
  /// When libcurl wants to be called although nothing happened; monotonic seconds.
  fileprivate var timer: Double?
  /// Why sockets cannot be waited for any more: nothing can go on.
  private(set) var problem: FetcherError?

  /// - Parameters:
  ///   - connections: How many connections are kept open, idle ones included.
  ///   - wakeup: Ends `wait` from another thread.
  /// - Throws: `FetcherError` when the system or libcurl has no handle to give.
  init(connections: Int, wakeup: Wakeup) throws(FetcherError) {
    try CurlLibrary.start()
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw FetcherError(systemCall: "epoll_create1") }
    guard let handle = unsafe curl_multi_init() else {
      close(epoll)
      throw FetcherError(operation: "curl_multi_init", detail: "out of memory")
    }
    unsafe self.handle = handle
    unsafe events = .allocate(capacity: 256)
    unsafe events.initialize(repeating: epoll_event())
    self.epoll = epoll
    self.wakeup = wakeup
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe check(pairloom_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, context))
    unsafe check(pairloom_multi_set_pointer(handle, CURLMOPT_TIMERDATA, context))
    unsafe check(pairloom_multi_set_socket_function(handle, watchSocket))
    unsafe check(pairloom_multi_set_timer_function(handle, setTimer))
    unsafe check(pairloom_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connections))
    watch(wakeup.descriptor, UInt32(EPOLLIN.rawValue))
    if let problem { throw problem }
  }

  deinit {
    // libcurl wants its easy handles removed before the multi handle goes.
    for easy in added.values { unsafe curl_multi_remove_handle(handle, easy.handle) }
    unsafe curl_multi_cleanup(handle)
    unsafe events.deallocate()
    close(epoll)
  }

  var active: Dictionary<ObjectIdentifier, CurlEasy>.Values { added.values }
  var activeCount: Int { added.count }

  func add(_ easy: CurlEasy) {
    added[ObjectIdentifier(easy)] = easy
    unsafe check(curl_multi_add_handle(handle, easy.handle))
  }

  /// Takes a transfer out, finished or not; what was under way is closed.
  func remove(_ easy: CurlEasy) {
    unsafe check(curl_multi_remove_handle(handle, easy.handle))
    added[ObjectIdentifier(easy)] = nil
  }

  /// Waits for sockets, the wakeup or a time, and lets libcurl work.
  ///
  /// - Parameter wake: When to return at the latest, monotonic seconds; nil for no such time.
  func wait(until wake: Double?) {
    var milliseconds: Int32 = -1
    if let due = [wake, timer].compactMap({ $0 }).min() {
      // Rounded up, lest the loop spin through the last part of a millisecond.
      milliseconds = Int32(max(0, min((due - Clock.monotonic()) * 1000, 3_600_000)).rounded(.up))
    }
    // Safe: epoll_wait writes at most the events there is room for.
    let count = unsafe epoll_wait(
      epoll, events.baseAddress, Int32(events.count), milliseconds)
    if count < 0, errno != EINTR { note(FetcherError(systemCall: "epoll_wait")) }
    for index in 0..<max(0, Int(count)) {
      let (descriptor, mask) = unsafe (events[index].data.fd, events[index].events)
      if descriptor == wakeup.descriptor {
        wakeup.clear()
      } else {
        work(on: descriptor, mask: mask)
      }
    }
    if let due = timer, due <= Clock.monotonic() {
      timer = nil
      work(on: -1, mask: 0)  // CURL_SOCKET_TIMEOUT
    }
  }

  /// The transfers that have ended since the last call; each is to be removed by the caller.
  func ended() -> [(easy: CurlEasy, code: CURLcode)] {
    var result: [(CurlEasy, CURLcode)] = []
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(handle, &left) {
      guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
      var context: UnsafeMutableRawPointer?
      let code = unsafe pairloom_message_result(message)
      let easyHandle = unsafe message.pointee.easy_handle
      guard unsafe pairloom_easy_get_pointer(easyHandle, CURLINFO_PRIVATE, &context) == CURLE_OK,
        let context = unsafe context
      else { preconditionFailure("an easy handle without its object") }
      // Safe: CURLOPT_PRIVATE is the CurlEasy, which `added` holds.
      result.append((unsafe Unmanaged<CurlEasy>.fromOpaque(context).takeUnretainedValue(), code))
    }
    return result
  }

  private func work(on descriptor: Int32, mask: UInt32) {
    var select: Int32 = 0
    if mask & UInt32(EPOLLIN.rawValue) != 0 { select |= CURL_CSELECT_IN }
    if mask & UInt32(EPOLLOUT.rawValue) != 0 { select |= CURL_CSELECT_OUT }
    if mask & UInt32(EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { select |= CURL_CSELECT_ERR }
    var running: Int32 = 0
    unsafe check(curl_multi_socket_action(handle, descriptor, select, &running))
  }

  /// Waits for events of a descriptor from now on; `problem` tells of a failure.
  fileprivate func watch(_ descriptor: Int32, _ events: UInt32) {
    var event = unsafe epoll_event()
    unsafe event.events = events
    unsafe event.data.fd = descriptor
    // A descriptor that was closed and opened again behind our back needs the other call.
    let isNew = watched.insert(descriptor).inserted
    let calls = isNew ? [EPOLL_CTL_ADD, EPOLL_CTL_MOD] : [EPOLL_CTL_MOD, EPOLL_CTL_ADD]
    guard !calls.contains(where: { unsafe epoll_ctl(epoll, $0, descriptor, &event) == 0 }) else {
      return
    }
    note(
      FetcherError(
        systemCall: "epoll_ctl",
        remedy: errno == ENOSPC
          ? "Lower concurrency, or raise /proc/sys/fs/epoll/max_user_watches" : ""))
  }

  private func note(_ problem: FetcherError) { self.problem = self.problem ?? problem }

  fileprivate func forget(_ descriptor: Int32) {
    watched.remove(descriptor)
    // A descriptor that is closed already has left epoll by itself.
    _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  private func check(_ code: CURLMcode) {
    precondition(code == CURLM_OK, "libcurl's multi interface: code \(code.rawValue)")
  }
}

private let watchSocket: curl_socket_callback = { _, descriptor, what, context, _ in
  guard let context = unsafe context else { return 0 }
  // Safe: see CurlMulti's pointer contract.
  let multi = unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
  var events: UInt32 = 0
  if what & CURL_POLL_IN != 0 { events |= UInt32(EPOLLIN.rawValue) }
  if what & CURL_POLL_OUT != 0 { events |= UInt32(EPOLLOUT.rawValue) }
  if what == CURL_POLL_REMOVE {
    multi.forget(descriptor)
  } else {
    // Never -1: libcurl would call the whole handle dead, while the loop ends by `problem` anyway.
    multi.watch(descriptor, events)
  }
  return 0
}

private let setTimer: curl_multi_timer_callback = { _, milliseconds, context in
  guard let context = unsafe context else { return 0 }
  let multi = unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
  multi.timer = milliseconds < 0 ? nil : Clock.monotonic() + Double(milliseconds) / 1000
  return 0
}

/// libcurl, started once.
enum CurlLibrary {
  // curl_global_init is thread safe in 7.88 only where built so; a lazy global runs once anyway.
  private static let code = curl_global_init(Int(CURL_GLOBAL_ALL))

  static func start() throws(FetcherError) {
    guard code == CURLE_OK else {
      throw FetcherError(operation: "curl_global_init", detail: "code \(code.rawValue)")
    }
  }
}
