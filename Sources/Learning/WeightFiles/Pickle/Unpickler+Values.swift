/// The opcodes that push a value without parts.
extension Unpickler {
  /// Pushes a value without parts; false for other opcodes.
  mutating func readPlain(_ opcode: UInt8) throws(WeightFileError) -> Bool {
    switch opcode {
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "I"):
      let line = try cursor.line()
      push(line == "00" ? .bool(false) : line == "01" ? .bool(true) : try integer(line))
    case UInt8(ascii: "L"):
      let line = try cursor.line()
      push(try integer(line.hasSuffix("L") ? String(line.dropLast()) : line))
    case UInt8(ascii: "J"): push(.int(Int(Int32(truncatingIfNeeded: try cursor.number(4)))))
    case UInt8(ascii: "K"): push(.int(Int(try cursor.number(1))))
    case UInt8(ascii: "M"): push(.int(Int(try cursor.number(2))))
    case 0x8A: push(long(try cursor.take(cursor.number(1))))
    case 0x8B: push(long(try cursor.take(cursor.number(4))))
    case UInt8(ascii: "F"):
      guard let number = Double(try cursor.line()) else { throw cursor.fail("no number") }
      push(.float(number))
    case UInt8(ascii: "G"):
      push(.float(Double(bitPattern: try cursor.number(8).byteSwapped)))
    case UInt8(ascii: "S"):
      let line = try cursor.line()
      guard line.count >= 2, let quote = line.first, quote == line.last, "'\"".contains(quote)
      else {
        throw cursor.fail("a text without quotes")
      }
      push(.text(String(line.dropFirst().dropLast())))
    case UInt8(ascii: "V"): push(.text(try cursor.line()))
    case UInt8(ascii: "T"): push(latin(try cursor.take(cursor.number(4))))
    case UInt8(ascii: "U"): push(latin(try cursor.take(cursor.number(1))))
    case UInt8(ascii: "X"): push(.text(try cursor.text(lengthBytes: 4)))
    case 0x8C: push(.text(try cursor.text(lengthBytes: 1)))
    case 0x8D: push(.text(try cursor.text(lengthBytes: 8)))
    case UInt8(ascii: "B"): push(.bytes(Array(try cursor.take(cursor.number(4)))))
    case UInt8(ascii: "C"): push(.bytes(Array(try cursor.take(cursor.number(1)))))
    case 0x8E, 0x96: push(.bytes(Array(try cursor.take(cursor.number(8)))))
    case UInt8(ascii: "c"):
      let module = try cursor.line()
      push(.global(try global(module, cursor.line())))
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw cursor.fail("a class is no text")
      }
      try charge(bytes: module.utf8.count + name.utf8.count)
      push(.global(try global(module, name)))
    default: return false
    }
    return true
  }

  private func integer(_ line: String) throws(WeightFileError) -> PickleValue {
    if let integer = Int(line) { return .int(integer) }
    // Beyond 64 bits.
    guard line.count > 18, line.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "-") }) else {
      throw cursor.fail("no number")
    }
    return .other
  }

  private func long(_ bytes: ArraySlice<UInt8>) -> PickleValue {
    PickleCursor.integer(bytes).map { .int($0) } ?? .other
  }

  /// Python 2's str: text where it is ASCII, else bytes.
  private func latin(_ bytes: ArraySlice<UInt8>) -> PickleValue {
    bytes.allSatisfy { $0 < 0x80 }
      ? .text(String(decoding: bytes, as: UTF8.self)) : .bytes(Array(bytes))
  }

  private func global(_ module: String, _ name: String) throws(WeightFileError) -> PickleGlobal {
    guard let known = PickleGlobal(module: module, name: name, isTorchScript: isTorchScript) else {
      throw WeightFileError(
        .unknownGlobal(
          module: String(module.prefix(200)), name: String(name.prefix(200)),
          offset: cursor.opcodeOffset), file: cursor.file)
    }
    return known
  }
}
