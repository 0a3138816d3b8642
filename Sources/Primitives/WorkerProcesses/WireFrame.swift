/// The head of what travels between a process and its workers; the body follows it.
///
/// Twelve bytes: `PWF1`, the number of the request, the length of the body, both as 32 bits, least
/// significant byte first. Number 0 is the greeting and its answer.
struct WireFrame: Equatable {
  static let byteCount = 12
  private static let mark: [UInt8] = Array("PWF1".utf8)

  var number: UInt32
  var length: Int

  /// Head and body.
  static func bytes(number: UInt32, _ body: [UInt8]) -> [UInt8] {
    precondition(body.count <= Int(UInt32.max), "a body of \(body.count) bytes")
    var bytes = mark
    bytes.reserveCapacity(byteCount + body.count)
    append(number, to: &bytes)
    append(UInt32(body.count), to: &bytes)
    bytes += body
    return bytes
  }

  /// The head that `bytes` are, or nil when they are none.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count == Self.byteCount, bytes.prefix(4).elementsEqual(Self.mark) else {
      return nil
    }
    number = Self.word(bytes.dropFirst(4).prefix(4))
    length = Int(Self.word(bytes.suffix(4)))
  }

  private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> shift))
    }
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// What a worker is told before its first request: its limits, and what its program wants to know.
struct Greeting: Equatable {
  var memory: Int
  var cpuSeconds: Int
  var body: [UInt8]

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for number in [UInt64(memory), UInt64(cpuSeconds)] {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    return bytes + body
  }

  init(memory: Int, cpuSeconds: Int, body: [UInt8]) {
    self.memory = memory
    self.cpuSeconds = cpuSeconds
    self.body = body
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 16 else { return nil }
    func number(_ part: ArraySlice<UInt8>) -> Int {
      Int(truncatingIfNeeded: part.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    self.init(
      memory: number(bytes[0..<8]), cpuSeconds: number(bytes[8..<16]), body: Array(bytes[16...]))
    guard memory > 0, cpuSeconds > 0 else { return nil }
  }
}
