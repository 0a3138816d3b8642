import Glibc

/// The other side of a ``WorkerPool``: what the worker's program runs.
public enum WorkerServer {
  /// Answers requests from standard input until it closes, then ends the process.
  ///
  /// Takes the limits of the pool before it reads the first request: address space and data beyond
  /// what the process has by then, processor time of each request, no core dumps. When the parent dies,
  /// however it dies, the process ends, even in the midst of a request. Standard output and error are
  /// the parent's to read when something goes wrong; nothing that is written there is an answer.
  ///
  /// - Parameter prepare: Given the greeting, makes what answers requests; an error ends the process,
  ///   and the pool reports it as a worker that cannot start.
  public static func serve(
    _ prepare: (_ greeting: [UInt8]) throws -> ([UInt8]) throws -> [UInt8]
  ) -> Never {
    endWithParent()
    guard let (_, body) = request(), let greeting = Greeting(body) else {
      fail("standard input is no socket of a worker pool; this command is not for people")
    }
    set(__rlimit_resource_t(RLIMIT_CORE.rawValue), 0)
    limitMemory(greeting.memory)
    let answer: ([UInt8]) throws -> [UInt8]
    do {
      answer = try prepare(greeting.body)
      send(number: 0, [])
    } catch { fail("\(error)") }
    while let (number, body) = request() {
      renewCPU(greeting.cpuSeconds)
      do { send(number: number, try answer(body)) } catch { fail("\(error)") }
    }
    exit(0)
  }

  /// Ends the process because it cannot have the memory for a request; the pool is told so.
  public static func endForWantOfMemory() -> Never { _exit(WorkerProcess.memoryCode) }

  private static func fail(_ text: String) -> Never {
    let line = Array("\(text)\n".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
  }

  /// Watches for the parent's end of the socket to close.
  ///
  /// Not by PR_SET_PDEATHSIG: that signal comes when the thread ends that started the worker, and
  /// threads of a dispatch queue end at any time.
  private static func endWithParent() {
    var thread = pthread_t()
    unsafe pthread_create(
      &thread, nil,
      { _ in
        // Without events a poll waits for nothing but the hang-up.
        var poller = pollfd(fd: STDIN_FILENO, events: 0, revents: 0)
        while unsafe poll(&poller, 1, -1) <= 0 || poller.revents == 0 {}
        _exit(0)
      }, nil)
  }

  private static func set(_ resource: __rlimit_resource_t, _ value: Int) {
    var limit = rlimit()
    unsafe getrlimit(resource, &limit)
    limit.rlim_cur = min(rlim_t(value), limit.rlim_max)
    if unsafe setrlimit(resource, &limit) != 0 { fail("setrlimit: error \(errno)") }
  }

  /// Allows `count` bytes beyond what the program and its libraries take.
  private static func limitMemory(_ count: Int) {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { fail("/proc is not mounted") }
    var line = [CChar](repeating: 0, count: 256)
    let isRead = unsafe fgets(&line, 256, file) != nil
    unsafe fclose(file)
    // Pages: size, resident, shared, text, library, data (proc(5)).
    let words = String(
      decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self
    )
    .split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
    guard isRead, words.count > 5 else { fail("/proc/self/statm cannot be read") }
    let page = Int(getpagesize())
    set(__rlimit_resource_t(RLIMIT_AS.rawValue), words[0] * page + count)
    set(__rlimit_resource_t(RLIMIT_DATA.rawValue), words[5] * page + count)
  }

  /// Allows so many seconds from now on; SIGXCPU ends the process after them.
  private static func renewCPU(_ seconds: Int) {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    set(__rlimit_resource_t(RLIMIT_CPU.rawValue), time.tv_sec + 1 + seconds)
  }

  private static func request() -> (number: UInt32, body: [UInt8])? {
    guard let head = read(WireFrame.byteCount), let frame = WireFrame(head[...]),
      let body = read(frame.length)
    else { return nil }
    return (frame.number, body)
  }

  /// So many bytes; nil where the socket ends.
  private static func read(_ count: Int) -> [UInt8]? {
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let rest = unsafe UnsafeMutableBufferPointer(rebasing: buffer[filled...])
        let got = unsafe Glibc.read(STDIN_FILENO, rest.baseAddress, rest.count)
        if got < 0 && errno == EINTR { continue }
        if got <= 0 { return }
        filled += got
      }
    }
    return bytes.count == count ? bytes : nil
  }

  private static func send(number: UInt32, _ body: [UInt8]) {
    let bytes = WireFrame.bytes(number: number, body)
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
        let count = unsafe Glibc.send(
          STDIN_FILENO, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        if count < 0 && errno == EINTR { continue }
        // The parent is gone.
        if count < 0 { _exit(0) }
        done += count
      }
    }
  }
}
