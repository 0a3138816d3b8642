internal import CZlib

/// The bytes of a list, piece by piece, gunzipped where its name ends in `.gz`.
///
/// zlib's gzFile reads plain files as they are, and gzip files of several members one after the
/// other. Memory: one piece and zlib's window.
@safe final class ListSource {
  private let file: gzFile
  let path: String
  private let isCompressed: Bool
  private var piece = [UInt8](repeating: 0, count: 1 << 16)

  init(path: String) throws(ListError) {
    guard let file = unsafe gzopen(path, "rb") else {
      throw .unreadable(path: path, problem: "it cannot be opened; check the name and its mode")
    }
    unsafe self.file = file
    self.path = path
    isCompressed = path.hasSuffix(".gz")
    unsafe gzbuffer(file, 1 << 17)
    // Without this check a damaged gzip file would be taken for a plain one.
    let isPlain = unsafe gzdirect(file) != 0
    if isCompressed && isPlain {
      throw .unreadable(path: path, problem: "its name ends in .gz but it is no gzip file")
    }
  }

  deinit { unsafe gzclose_r(file) }

  /// The next bytes; none at the end.
  func next() throws(ListError) -> ArraySlice<UInt8> {
    let count = unsafe gzread(file, &piece, UInt32(piece.count))
    guard count >= 0 else { throw failure() }
    if count == 0 {
      var code: Int32 = 0
      _ = unsafe gzerror(file, &code)
      // A gzip file that ends early reads as a short one; zlib tells it only here.
      if code == Z_BUF_ERROR { throw failure() }
    }
    return piece[..<Int(count)]
  }

  private func failure() -> ListError {
    var code: Int32 = 0
    let words = unsafe gzerror(file, &code).map { unsafe String(cString: $0) } ?? ""
    return .unreadable(
      path: path,
      problem: words.isEmpty ? "it cannot be read (zlib \(code))" : words)
  }
}
