import ContentHashing
public import DurableFiles

/// A file of scalars over steps that TensorBoard and its relatives read.
///
/// TFRecord's framing: length, masked CRC-32C of it, event, masked CRC-32C of it. Each event is handed to the system
/// whole, so that a killed run leaves at most one torn record at the end, which readers pass over.
public final class EventFile: Sendable {
  public let path: String

  /// Begins a new file of a folder, which is made when it is not there.
  ///
  /// Readers take files by name; so the name's time is after those that are there, whatever the clock says.
  ///
  /// - Parameters:
  ///   - folder: Such as `OUT/tensorboard`.
  ///   - step: The steps done before; what older files hold beyond is dropped by readers.
  ///   - time: Seconds since 1970.
  /// - Throws: `FileError`.
  public init(folder: String, after step: Int, time: Double) throws(FileError) {
    try DurableFile.makeFolder(folder)
    let newest = try DurableFile.names(in: folder).compactMap { Self.seconds(in: $0) }.max() ?? 0
    let seconds = max(Int(time.rounded(.down)), newest + 1)
    let digits = String(seconds)
    let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    path = "\(folder)/\(Self.prefix)\(padded).pairloom"
    try append(.version(time: time))
    // Without a checkpoint, a run that begins again takes all of its steps back.
    if step > 0 || newest > 0 { try append(.start(time: time, step: step + 1)) }
  }

  /// Adds numbers of a step; a value that is no number is left out.
  ///
  /// - Parameters:
  ///   - scalars: By tags such as `train/loss`.
  ///   - step: Of all of them.
  ///   - time: Seconds since 1970.
  /// - Throws: `FileError`.
  public func add(_ scalars: [String: Double], step: Int, time: Double) throws(FileError) {
    let values = scalars.filter { $0.value.isFinite }.sorted { $0.key < $1.key }
    guard !values.isEmpty else { return }
    try append(
      .scalars(values.map { ($0.key, Float($0.value)) }, time: time, step: step))
  }

  private static let prefix = "events.out.tfevents."

  private static func seconds(in name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    return name.dropFirst(prefix.count).split(separator: ".").first.flatMap { Int($0) }
  }

  private func append(_ event: EventMessage) throws(FileError) {
    let length = Self.bytes(UInt64(event.bytes.count), count: 8)
    let record =
      length + Self.bytes(Self.masked(length), count: 4) + event.bytes
      + Self.bytes(Self.masked(event.bytes), count: 4)
    try DurableFile.append(record, to: path, waits: false)
  }

  /// A checksum that may stand in data which is checksummed itself (tensorflow/tsl/lib/hash/crc32c.h).
  private static func masked(_ bytes: [UInt8]) -> UInt64 {
    let sum = CRC32C.checksum(bytes)
    return UInt64((sum >> 15 | sum << 17) &+ 0xA282_EAD8)
  }

  private static func bytes(_ value: UInt64, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }
}
