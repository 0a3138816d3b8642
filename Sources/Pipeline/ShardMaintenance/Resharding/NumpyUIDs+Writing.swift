package import DurableFiles

extension NumpyUIDs {
  /// Publishes a subset file as DataComp's baselines save one: dtype `u8,u8`, sorted, each uid once.
  ///
  /// The header is numpy.save's, so the bytes are those that NumPy writes of the same uids.
  ///
  /// - Parameters:
  ///   - uids: The two halves of each, in any order; sorted here.
  ///   - path: Where the file goes.
  /// - Returns: How many uids are in it.
  /// - Throws: `FileError`.
  package static func write(
    _ uids: [(high: UInt64, low: UInt64)], to path: String
  ) throws(FileError) -> Int {
    var sorted = uids
    sorted.sort { ($0.high, $0.low) < ($1.high, $1.low) }
    var last: (high: UInt64, low: UInt64)?
    sorted.removeAll { uid in
      defer { last = uid }
      return last.map { $0 == uid } ?? false
    }
    let file = try DurableFileWriter(path)
    try file.write(header(count: sorted.count))
    var bytes: [UInt8] = []
    for uid in sorted {
      for word in [uid.high, uid.low] {
        for shift in stride(from: 0, to: 64, by: 8) as StrideTo<UInt64> {
          bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
      }
      if bytes.count >= 1 << 20 {
        try file.write(bytes)
        bytes = []
      }
    }
    try file.write(bytes)
    try file.commit()
    return sorted.count
  }

  /// Version 1.0; filled with spaces so that the data begins at a multiple of 64 (numpy/lib/format.py).
  private static func header(count: Int) -> [UInt8] {
    let text =
      "{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, 'shape': (\(count),), }"
    // NumPy leaves room for the count to grow to 21 digits.
    let room = text + String(repeating: " ", count: 21 - String(count).utf8.count)
    let padding = 64 - (10 + room.utf8.count + 1) % 64
    let full = room + String(repeating: " ", count: padding) + "\n"
    let length = full.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
      + Array(full.utf8)
  }
}
