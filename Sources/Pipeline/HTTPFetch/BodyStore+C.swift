import Glibc
import Synchronization

/// Where bodies lie until their results are dropped: in memory up to a budget, beyond it in a file.
///
/// Bodies that are arriving and those of results that somebody still holds count alike. While more
/// than the budget is held, whatever arrives goes to an unlinked temporary file as soon as 16 KiB of
/// it are there, and what is handed out goes there altogether. Nothing ever waits for memory, so
/// nothing can wait for ever. Bound: the budget and 16 KiB per transfer under way, doubled where an
/// array has just grown; on disk, all bodies that the callers hold. The file lies in `TMPDIR`, else
/// in /var/tmp, as /tmp may be memory.
package final class BodyStore: Sendable {
  private struct Spill: Sendable {
    var descriptor: Int32 = -1
    /// Blocks that the file has, and those of them that nobody uses.
    var blockCount = 0
    var free: [Int] = []
  }

  package static let blockBytes = 64 << 10
  /// Less of a body than this is not worth a write while it arrives.
  static let spillBytes = 16 << 10

  private let budget: Int
  private let held = Atomic(0)
  private let spill = Mutex(Spill())

  package init(budget: Int) { self.budget = budget }

  deinit {
    spill.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
  }

  /// Bytes of bodies in memory.
  package var heldBytes: Int { held.load(ordering: .relaxed) }
  /// Blocks of the file that are in use.
  package var spilledBlocks: Int { spill.withLock { $0.blockCount - $0.free.count } }

  var isFull: Bool { heldBytes > budget }

  func hold(_ count: Int) { held.add(count, ordering: .relaxed) }

  /// Writes bytes behind those that `spilled` has already.
  func write(_ bytes: [UInt8], to spilled: inout SpilledBytes) throws(FetcherError) {
    var done = 0
    while done < bytes.count {
      let offset = spilled.count % Self.blockBytes
      if offset == 0 { spilled.blocks.append(try takeBlock()) }
      let start = spilled.blocks[spilled.blocks.count - 1] * Self.blockBytes + offset
      let length = min(bytes.count - done, Self.blockBytes - offset)
      let descriptor = spill.withLock { $0.descriptor }
      // Safe: `length` bytes from `done` on are the array's.
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress.map { unsafe $0 + done }, length, start)
      }
      guard count > 0 else {
        if count == 0 { errno = EIO }
        if errno == EINTR { continue }
        throw Self.problem("write bodies to a temporary file")
      }
      done += count
      spilled.count += count
    }
  }

  /// Reads all of `spilled` back, and `tail` behind it.
  func read(_ spilled: SpilledBytes, tail: [UInt8]) throws(FetcherError) -> [UInt8] {
    let descriptor = spill.withLock { $0.descriptor }
    var isRead = true
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: spilled.count + tail.count) {
      buffer, count in
      count = 0
      while isRead, count < spilled.count {
        let offset = count % Self.blockBytes
        let start = spilled.blocks[count / Self.blockBytes] * Self.blockBytes + offset
        let length = min(spilled.count - count, Self.blockBytes - offset)
        // Safe: `length` bytes from `count` on are within the capacity.
        let got = unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + count }, length, start)
        if got == 0 { errno = EIO }
        if got > 0 { count += got } else { isRead = errno == EINTR }
      }
      guard isRead else { return }
      for byte in tail {
        unsafe buffer[count] = byte
        count += 1
      }
    }
    guard isRead else { throw Self.problem("read bodies from a temporary file") }
    return bytes
  }

  func release(_ spilled: SpilledBytes) {
    guard !spilled.blocks.isEmpty else { return }
    spill.withLock { $0.free += spilled.blocks }
  }

  private func takeBlock() throws(FetcherError) -> Int {
    try spill.withLock { (spill) throws(FetcherError) -> Int in
      if let block = spill.free.popLast() { return block }
      if spill.descriptor < 0 { spill.descriptor = try Self.openFile() }
      spill.blockCount += 1
      return spill.blockCount - 1
    }
  }

  private static var folder: String {
    unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
  }

  /// The failure of the system call just made.
  private static func problem(_ operation: String) -> FetcherError {
    let number = errno
    return FetcherError(
      systemCall: "\(operation) in \(folder)", errorNumber: number,
      remedy: [ENOSPC, EDQUOT].contains(number)
        ? "Free some space there or name another folder by TMPDIR, then run the same command again"
        : "")
  }

  private static func openFile() throws(FetcherError) -> Int32 {
    var path = Array("\(folder)/pairloom-bodies-XXXXXX".utf8CString)
    // Safe: the template is NUL-terminated and ours to change.
    let descriptor = unsafe mkstemp(&path)
    guard descriptor >= 0 else { throw problem("make a temporary file") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unsafe unlink(path)
    return descriptor
  }
}

/// The start of a body in a `BodyStore`'s file.
struct SpilledBytes: Sendable {
  var blocks: [Int] = []
  var count = 0
}

/// A whole body, in memory or on disk; its share of the store's budget ends with it.
final class FetchedBody: Sendable {
  private let store: BodyStore
  private let spilled: SpilledBytes
  private let tail: [UInt8]
  private let held: Int

  /// - Parameters:
  ///   - store: Where it lies.
  ///   - spilled: Its start, in the store's file; this object frees it.
  ///   - tail: The rest, or all.
  ///   - held: What the tail counts for in the store's budget; this object gives it back.
  init(store: BodyStore, spilled: SpilledBytes, tail: [UInt8], held: Int) {
    self.store = store
    self.spilled = spilled
    self.tail = tail
    self.held = held
  }

  deinit {
    store.hold(-held)
    store.release(spilled)
  }

  var count: Int { spilled.count + tail.count }

  func bytes() throws(FetcherError) -> [UInt8] {
    spilled.count == 0 ? tail : try store.read(spilled, tail: tail)
  }
}
