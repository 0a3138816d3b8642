import WorkerThreads

extension Tensor {
  /// Pictures of bytes as channel-first floats, each byte by its channel's table.
  ///
  /// - Parameters:
  ///   - pictures: B, each `side` × `side` pixels of red, green, blue, row by row.
  ///   - side: S.
  ///   - tables: 256 floats for each channel.
  ///   - threads: That share the pictures.
  public init(pictures: [[UInt8]], side: Int, tables: [[Float]], threads: Int = 1) {
    let plane = side * side
    precondition(
      pictures.allSatisfy { $0.count == 3 * plane } && tables.count == 3
        && tables.allSatisfy { $0.count == 256 },
      "pictures of \(Set(pictures.map(\.count))) bytes where \(3 * plane) are wanted")
    self.init(uninitialized: [pictures.count, 3, side, side])
    let y = mutableFloats
    Parallel.forEach(pictures.count, threads: threads) { number in
      for channel in 0..<3 {
        let start = (number * 3 + channel) * plane
        // Safe: a picture has 3 bytes for each of `plane` pixels, a table a float for each byte.
        unsafe pictures[number].withUnsafeBufferPointer { pixels in
          unsafe tables[channel].withUnsafeBufferPointer { table in
            var lanes = SIMD8<Float>.zero
            let blocks = plane / 8 * 8
            for pixel in stride(from: 0, to: blocks, by: 8) {
              for lane in 0..<8 {
                unsafe lanes[lane] = table[Int(pixels[(pixel + lane) * 3 + channel])]
              }
              y[lanes: start + pixel] = lanes
            }
            for pixel in blocks..<plane {
              unsafe y[start + pixel] = table[Int(pixels[pixel * 3 + channel])]
            }
          }
        }
      }
    }
  }
}
