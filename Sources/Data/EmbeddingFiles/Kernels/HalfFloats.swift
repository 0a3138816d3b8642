/// Between the numbers of a file and Float.
enum HalfFloats {
  /// A half as Float, exactly; without a branch, so that loops over it become vector code.
  ///
  /// Source: F. Giesen, half_to_float_fast4: the bits are moved to their places and the exponent is put right;
  /// that of subnormal halves by one subtraction.
  @inline(__always) static func float(_ half: UInt16) -> Float {
    let wide = UInt32(half)
    let magnitude = (wide & 0x7FFF) &<< 13
    let exponent = magnitude & 0x0F80_0000
    let rebased = magnitude &+ 0x3800_0000
    // Infinities and NaNs have the highest exponent here, too.
    let special = rebased &+ 0x3800_0000
    let tiny = (Float(bitPattern: rebased &+ 0x0080_0000) - 0x1p-14).bitPattern
    let bits = exponent == 0x0F80_0000 ? special : exponent == 0 ? tiny : rebased
    return Float(bitPattern: bits | ((wide & 0x8000) &<< 16))
  }

  /// Fills `floats` from `offset` on with the numbers that `bytes` hold.
  static func fill(
    _ floats: inout MutableSpan<Float>, at offset: Int, from bytes: UnsafeRawBufferPointer,
    type: NumpyType
  ) {
    let count = bytes.count / type.byteCount
    precondition(
      offset >= 0 && offset + count <= floats.count,
      "\(count) numbers from \(offset) on in a space of \(floats.count)")
    guard count > 0, let base = bytes.baseAddress else { return }
    unsafe floats.withUnsafeMutableBufferPointer { room in
      guard let start = room.baseAddress else { return }
      let target = unsafe start + offset
      switch type {
      case .float32:
        unsafe UnsafeMutableRawPointer(target).copyMemory(from: base, byteCount: count * 4)
      case .float64:
        for index in 0..<count {
          unsafe target[index] = Float(
            Double(bitPattern: base.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)))
        }
      case .float16:
        for index in 0..<count {
          unsafe target[index] = Self.float(
            base.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self))
        }
      }
    }
  }

  /// The bytes of `floats` in a file; halves and doubles are rounded to nearest, ties to even.
  static func bytes(_ floats: Span<Float>, type: NumpyType) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: floats.count * type.byteCount) { buffer, filled in
      let room = UnsafeMutableRawBufferPointer(buffer)
      for index in floats.indices {
        let float = floats[index]
        switch type {
        case .float16:
          unsafe room.storeBytes(
            of: Float16(float).bitPattern, toByteOffset: index * 2, as: UInt16.self)
        case .float32:
          unsafe room.storeBytes(of: float.bitPattern, toByteOffset: index * 4, as: UInt32.self)
        case .float64:
          unsafe room.storeBytes(
            of: Double(float).bitPattern, toByteOffset: index * 8, as: UInt64.self)
        }
      }
      filled = floats.count * type.byteCount
    }
  }
}
