/// The values of a data page, decoded as far as they are asked for.
struct PageValues {
  private enum Decoder {
    case words(any WordDecoder)
    case bytes(any BytesDecoder)
    case indices(RunLengthDecoder)
    case none
  }

  private var decoder = Decoder.none
  private let builder: ValueBuilder
  private let limits: ParquetLimits
  private var words: [UInt64] = []
  private var ranges: [ByteRange] = []
  private var indices: [UInt32] = []
  private var unfolds = false
  /// What prefix-sharing strings may still unfold to in this batch, in bytes.
  var unfoldedLeft = Int.max

  init(_ leaf: LeafColumn, limits: ParquetLimits) {
    builder = ValueBuilder(leaf.column.type)
    self.limits = limits
  }

  /// Begins with the values of a page, which start at `position`.
  mutating func open(
    _ bytes: [UInt8], at position: Int, _ encoding: PageEncoding?, _ leaf: LeafColumn
  ) throws(ParquetError.Problem) {
    decoder = .none
    unfolds = encoding == .deltaByteArray
    let type = leaf.physicalType
    switch (encoding, type) {
    case (.plainDictionary, _), (.dictionary, _):
      // A page of nulls may lack even the byte that tells the indices' width.
      guard position < bytes.count else { return }
      guard bytes[position] <= 32 else { throw .damaged("indices of \(bytes[position]) bits") }
      decoder = .indices(
        RunLengthDecoder(bytes, position + 1..<bytes.count, width: Int(bytes[position])))
    case (.plain, .boolean): decoder = .words(PlainBoolDecoder(bytes, at: position))
    case (.plain, .int32), (.plain, .float), (.plain, .int64), (.plain, .double):
      decoder = .words(
        PlainWordDecoder(
          bytes, at: position, isWide: type == .int64 || type == .double,
          extendsSign: type == .int32))
    case (.plain, .byteArray): decoder = .bytes(PlainBytesDecoder(bytes, at: position))
    case (.plain, .int96): decoder = .bytes(FixedBytesDecoder(bytes, at: position, size: 12))
    case (.plain, .fixedLengthByteArray):
      decoder = .bytes(FixedBytesDecoder(bytes, at: position, size: leaf.typeLength))
    case (.runLength, .boolean):
      if position < bytes.count {
        decoder = .words(try RunLengthBoolDecoder(bytes, at: position))
      }
    case (.deltaBinaryPacked, .int32), (.deltaBinaryPacked, .int64):
      if position < bytes.count {
        decoder = .words(try DeltaWordDecoder(bytes, at: position, isWide: type == .int64))
      }
    case (.deltaLengthByteArray, .byteArray):
      if position < bytes.count {
        decoder = .bytes(try DeltaLengthBytesDecoder(bytes, at: position))
      }
    case (.deltaByteArray, .byteArray), (.deltaByteArray, .fixedLengthByteArray):
      if position < bytes.count {
        decoder = .bytes(try DeltaBytesDecoder(bytes, at: position, limit: limits.unfoldedBytes))
      }
    case (.byteStreamSplit, .int32), (.byteStreamSplit, .float), (.byteStreamSplit, .int64),
      (.byteStreamSplit, .double):
      decoder = .words(
        StreamSplitWordDecoder(
          bytes, at: position, isWide: type == .int64 || type == .double,
          extendsSign: type == .int32))
    case (.byteStreamSplit, .fixedLengthByteArray):
      decoder = .bytes(StreamSplitBytesDecoder(bytes, at: position, size: leaf.typeLength))
    case (let encoding?, _): throw .unsupported("the encoding \(encoding) for \(type)")
    case (nil, _): throw .unsupported("an encoding that is not known")
    }
  }

  /// Appends `count` values, of which `present` are not null.
  mutating func append(
    _ count: Int, present: Int, _ presence: borrowing ValueBuilder.Presence,
    dictionary: [ParquetValue]?, leaf: LeafColumn, into target: inout [ParquetValue]
  ) throws(ParquetError.Problem) {
    switch decoder {
    case .words(let decoder):
      if words.count < present { words = [UInt64](repeating: 0, count: present) }
      try decoder.read(present, into: &words)
      builder.append(count, words: words, presence, into: &target)
    case .bytes(let decoder):
      if ranges.count < present {
        ranges = [ByteRange](repeating: ByteRange(start: 0, end: 0), count: present)
      }
      try decoder.read(present, into: &ranges)
      if unfolds {
        unfoldedLeft -= decoder.buffer.count
        guard unfoldedLeft >= 0 else {
          throw .tooLarge("byte strings of more than \(limits.unfoldedBytes) bytes in a batch")
        }
      }
      if leaf.physicalType == .fixedLengthByteArray {
        for index in 0..<present where ranges[index].end - ranges[index].start != leaf.typeLength {
          throw .damaged("a value of a fixed length has another")
        }
      }
      try builder.append(count, ranges: ranges, of: decoder.buffer, presence, into: &target)
    case .indices(var decoder):
      guard let dictionary else { throw .damaged("a page asks for a dictionary that is not there") }
      if indices.count < present { indices = [UInt32](repeating: 0, count: present) }
      self.decoder = .none  // so that the decoder has one owner, and its state is moved, not copied
      try decoder.read(present, into: &indices)
      self.decoder = .indices(decoder)
      let found = indices.span
      for index in 0..<present where found[index] >= dictionary.count {
        throw .damaged("index \(found[index]) into a dictionary of \(dictionary.count)")
      }
      let entries = dictionary.span
      ValueBuilder.merge(count, presence, into: &target) { entries[Int(found[$0])] }
    case .none:
      guard present == 0 else { throw .valuesEndEarly }
      for _ in 0..<count { target.append(.null) }
    }
  }
}
