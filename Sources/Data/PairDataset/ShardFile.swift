import DurableFiles

/// The bytes of a shard's file, opened for reading.
final class ShardFile: Sendable {
  private enum Content: Sendable {
    case disk(FileReader)
    case memory([UInt8])
  }

  let path: String
  let size: Int
  private let content: Content

  /// - Parameters:
  ///   - path: Of the file; with `bytes` only its name in errors.
  ///   - bytes: What takes the place of the file.
  /// - Throws: `file`.
  init(_ path: String, bytes: [UInt8]? = nil) throws(ShardError) {
    self.path = path
    if let bytes {
      content = .memory(bytes)
      size = bytes.count
    } else {
      let reader = try file(path) { () throws(FileError) in try FileReader(path) }
      content = .disk(reader)
      size = reader.size
    }
  }

  /// Up to `count` bytes from `offset`: fewer where the file ends.
  func read(count: Int, at offset: Int) throws(ShardError) -> [UInt8] {
    switch content {
    case .disk(let reader):
      return try file(path) { () throws(FileError) in try reader.read(count: count, at: offset) }
    case .memory(let bytes):
      let start = min(max(0, offset), bytes.count)
      return Array(bytes[start..<start + min(max(0, count), bytes.count - start)])
    }
  }

  /// Fills up to `count` bytes of `buffer` from `offset`, and gives how many the file has there.
  func read(into buffer: inout [UInt8], count: Int, at offset: Int) throws(ShardError) -> Int {
    switch content {
    case .disk(let reader):
      do throws(FileError) { return try reader.read(into: &buffer, count: count, at: offset) } catch
      {
        throw ShardError(.file(error), shard: path)
      }
    case .memory(let bytes):
      let part = bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)]
      buffer = Array(part)
      return part.count
    }
  }
}
