import CCurl
import Glibc

/// This machine's clocks, in seconds.
enum Clock {
  /// Since some fixed moment; never set back.
  static func monotonic() -> Double { read(CLOCK_MONOTONIC) }

  /// Since 1970.
  static func wall() -> Double { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Double {
    var time = timespec()
    // Cannot fail: both clocks exist on Linux, and the pointer is valid.
    _ = unsafe clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Ends another thread's wait: an eventfd.
final class Wakeup: Sendable {
  let descriptor: Int32

  /// - Parameter counting: Whether each signal ends one `wait`; otherwise signals run into one, and
  ///   the descriptor is for polling.
  /// - Throws: `FetcherError` when the system has no descriptor to give.
  init(counting: Bool = false) throws(FetcherError) {
    let kind = counting ? EFD_SEMAPHORE : EFD_NONBLOCK
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | kind))
    guard descriptor >= 0 else { throw FetcherError(systemCall: "eventfd") }
  }

  deinit { close(descriptor) }

  func signal() {
    var one: UInt64 = 1
    // EAGAIN would mean that the counter is full, so that the wakeup is pending anyway.
    _ = unsafe write(descriptor, &one, 8)
  }

  /// Waits for a signal, of a counting one.
  func wait() {
    var count: UInt64 = 0
    // EINTR is the one failure of a read of 8 bytes that blocks.
    while unsafe read(descriptor, &count, 8) < 0 {}
  }

  func clear() {
    var count: UInt64 = 0
    _ = unsafe read(descriptor, &count, 8)
  }
}

/// A thread of its own for a loop that blocks.
enum LoopThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  static func start(_ run: @escaping @Sendable () -> Void) throws(FetcherError) {
    var thread = pthread_t()
    let body = unsafe Unmanaged.passRetained(Body(run))
    // Safe: the thread takes over the one reference that `passRetained` made.
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
        // OpenSSL writes to sockets that the peer may have closed; EPIPE suffices.
        var pipe = sigset_t()
        unsafe sigemptyset(&pipe)
        unsafe sigaddset(&pipe, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &pipe, nil)
        body.run()
        return nil
      }, body.toOpaque())
    guard code == 0 else {
      unsafe body.release()
      throw FetcherError(
        operation: "pthread_create", detail: unsafe String(cString: strerror(code)))
    }
    pthread_detach(thread)
  }
}

/// The process's limit on open files.
enum DescriptorLimit {
  /// Raises the soft limit towards the hard one where `needed` descriptors would not fit.
  static func raise(to needed: Int) throws(FetcherError) {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw FetcherError(systemCall: "getrlimit")
    }
    guard limit.rlim_cur < rlim_t(needed) else { return }
    guard limit.rlim_max >= rlim_t(needed) else {
      throw FetcherError(
        operation: "open files",
        detail: "needs \(needed), the hard limit is \(limit.rlim_max): "
          + "lower concurrency, or raise `ulimit -Hn`")
    }
    limit.rlim_cur = rlim_t(needed)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw FetcherError(systemCall: "setrlimit")
    }
  }
}
