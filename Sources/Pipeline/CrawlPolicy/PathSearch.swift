extension PathPattern {
  /// Where the first occurrence of `piece` at or behind `start` ends; nil when there is none.
  ///
  /// Linear in the path, whatever the two are made of: short pieces are compared at each place, in at
  /// most 16 steps, long ones by Knuth, Morris and Pratt's search.
  static func endOfFirst(
    _ piece: ArraySlice<UInt8>, in path: [UInt8], from start: Int
  ) -> Int? {
    guard !piece.isEmpty else { return start }
    guard path.count - start >= piece.count else { return nil }
    return piece.count <= 16
      ? endByComparing(piece.span, in: path.span, from: start)
      : endByFailureTable(piece.span, in: path.span, from: start)
  }

  private static func endByComparing(
    _ piece: Span<UInt8>, in path: Span<UInt8>, from start: Int
  ) -> Int? {
    let end = piece.count - 1
    let (first, last) = (piece[0], piece[end])
    places: for place in start..<(path.count - end) {
      guard path[place + end] == last, path[place] == first else { continue }
      for index in 0..<end where path[place + index] != piece[index] { continue places }
      return place + piece.count
    }
    return nil
  }

  /// Passes each octet of the path once; `failure[n]` is how much of the piece's beginning the first
  /// n + 1 octets of it end with.
  private static func endByFailureTable(
    _ piece: Span<UInt8>, in path: Span<UInt8>, from start: Int
  ) -> Int? {
    var failure = [Int](repeating: 0, count: piece.count)
    var length = 0
    for index in 1..<piece.count {
      while length > 0, piece[index] != piece[length] { length = failure[length - 1] }
      if piece[index] == piece[length] { length += 1 }
      failure[index] = length
    }
    length = 0
    for index in start..<path.count {
      while length > 0, path[index] != piece[length] { length = failure[length - 1] }
      if path[index] == piece[length] { length += 1 }
      if length == piece.count { return index + 1 }
    }
    return nil
  }
}
