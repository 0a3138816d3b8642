/// The frames of the wire, all little-endian, each checked before it is believed.
///
/// Payloads are Float32 in the machine's own order: every supported machine is little-endian.
enum Wire {
  static let magic: UInt32 = 0x4D4F_4C50  // "PLOM"
  static let version: UInt32 = 1
  /// No frame is longer, whatever its header says.
  static let longestPayload = 1 << 18
  static let longestToken = 256
  /// Floats that one rank may bring to an all-gather: checked before memory is taken for them.
  static let longestPart: UInt32 = 1 << 28
  static let largestWorld = 1_024

  static func append(_ value: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  static func integer(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
  }

  /// True when both hold the same bytes; the time depends on the lengths only.
  static func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in a.indices { difference |= a[index] ^ b[index] }
    return difference == 0
  }
}

/// The first bytes on every connection: who dials, and what for.
struct Hello: Equatable {
  enum Purpose: UInt32 { case rendezvous = 1, control, data }
  static let byteCount = 24 + 4 + Wire.longestToken

  var purpose: Purpose
  var rank: Int
  var worldSize: Int
  /// Where the dialling rank listens itself.
  var port: UInt16
  var token: [UInt8]

  func encoded() -> [UInt8] {
    precondition(token.count <= Wire.longestToken, "a token has at most 256 bytes")
    var bytes: [UInt8] = []
    for field in [
      Wire.magic, Wire.version, purpose.rawValue, UInt32(rank), UInt32(worldSize), UInt32(port),
    ] { Wire.append(field, to: &bytes) }
    return bytes + Self.field(of: token)
  }

  init(purpose: Purpose, rank: Int, worldSize: Int, port: UInt16, token: [UInt8]) {
    self.purpose = purpose
    self.rank = rank
    self.worldSize = worldSize
    self.port = port
    self.token = token
  }

  /// The hello in `bytes` when it comes from this program with this token, else nil.
  init?(_ bytes: [UInt8], token: [UInt8]) {
    guard bytes.count == Self.byteCount, Wire.integer(bytes, at: 0) == Wire.magic,
      Wire.integer(bytes, at: 4) == Wire.version,
      Wire.equalInConstantTime(Array(bytes[24...]), Self.field(of: token)),
      let purpose = Purpose(rawValue: Wire.integer(bytes, at: 8)),
      let port = UInt16(exactly: Wire.integer(bytes, at: 20))
    else { return nil }
    self.init(
      purpose: purpose, rank: Int(Wire.integer(bytes, at: 12)),
      worldSize: Int(Wire.integer(bytes, at: 16)), port: port, token: token)
  }

  /// Length and zero padding, so that the comparison never depends on the length of the token.
  private static func field(of token: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    Wire.append(UInt32(token.count), to: &bytes)
    return bytes + token + [UInt8](repeating: 0, count: Wire.longestToken - token.count)
  }
}

/// The header of one chunk on a ring connection.
struct ChunkHeader: Equatable {
  static let byteCount = 24

  var kind: UInt32
  /// The number of the operation within the group, counted by every rank.
  var operation: UInt32
  /// The number of the chunk within the operation.
  var chunk: UInt32
  /// Floats in the whole operation: ranks that disagree are found out at the first chunk.
  var total: UInt32
  /// Payload bytes.
  var length: UInt32

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    for field in [Wire.magic, kind, operation, chunk, total, length] {
      Wire.append(field, to: &bytes)
    }
    return bytes
  }

  /// Nil when the magic is another's.
  init?(_ bytes: [UInt8]) {
    guard Wire.integer(bytes, at: 0) == Wire.magic else { return nil }
    self.init(
      kind: Wire.integer(bytes, at: 4), operation: Wire.integer(bytes, at: 8),
      chunk: Wire.integer(bytes, at: 12), total: Wire.integer(bytes, at: 16),
      length: Wire.integer(bytes, at: 20))
  }

  init(kind: UInt32, operation: UInt32, chunk: UInt32, total: UInt32, length: UInt32) {
    self.kind = kind
    self.operation = operation
    self.chunk = chunk
    self.total = total
    self.length = length
  }
}

/// What ranks tell each other beside the data: that one was lost, or that one leaves in peace.
struct Notice: Equatable {
  enum Kind: UInt32 { case abort = 1, goodbye }
  static let byteCount = 12

  var kind: Kind
  /// The rank that was lost.
  var rank: Int

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    for field in [Wire.magic, kind.rawValue, UInt32(rank)] { Wire.append(field, to: &bytes) }
    return bytes
  }

  init(kind: Kind, rank: Int) {
    self.kind = kind
    self.rank = rank
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.byteCount, Wire.integer(bytes, at: 0) == Wire.magic,
      let kind = Kind(rawValue: Wire.integer(bytes, at: 4))
    else { return nil }
    self.init(kind: kind, rank: Int(Wire.integer(bytes, at: 8)))
  }
}
