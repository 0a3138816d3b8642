import CGIF

/// The first frame of a GIF (CompuServe, GIF89a) through giflib's sequential interface.
enum GIFCodec {
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - width: Of the canvas.
  ///   - height: Of the canvas.
  ///   - showsTransparent: Whether the transparent index is its colour of the table, and fills what the frame
  ///     leaves free (index 0 where there is none), as in Pillow; both are white otherwise.
  /// - Returns: The canvas.
  /// - Throws: `truncated` or `corrupt`.
  static func decode(
    _ bytes: [UInt8], width: Int, height: Int, showsTransparent: Bool = false
  ) throws(ImageError) -> RGBImage {
    try unsafe CodecBuffers.decode(bytes, width: width, height: height) { source, target in
      var cursor = unsafe Cursor(rest: source[...])
      return unsafe withUnsafeMutablePointer(to: &cursor) { cursor in
        var code: Int32 = 0
        guard let gif = unsafe DGifOpen(cursor, read, &code) else { return failure(code) }
        defer { unsafe _ = DGifCloseFile(gif, nil) }
        let canvas = unsafe UnsafeMutableBufferPointer(start: target, count: width * height * 3)
        unsafe canvas.initialize(repeating: 255)
        return unsafe drawFirstFrame(
          of: gif, on: canvas, width: width, height: height, showsTransparent: showsTransparent)
      }
    }
  }

  /// What giflib has not read yet.
  ///
  /// Its base lives as long as `decode`'s access to the bytes.
  @safe private struct Cursor {
    var rest: Slice<UnsafeBufferPointer<UInt8>>
  }

  /// Feeds giflib; fewer bytes than asked for mean the end of the file.
  private static let read: InputFunc = { gif, target, count in
    // Safe: UserData is the cursor that decode() keeps alive while the file is open.
    guard let cursor = unsafe gif?.pointee.UserData?.assumingMemoryBound(to: Cursor.self) else {
      return 0
    }
    let part = unsafe cursor.pointee.rest.prefix(Int(count))
    let taken = unsafe part.count
    for index in 0..<taken { unsafe target?[index] = part[part.startIndex + index] }
    unsafe cursor.pointee.rest = cursor.pointee.rest.dropFirst(taken)
    return Int32(taken)
  }

  private static func drawFirstFrame(
    of gif: UnsafeMutablePointer<GifFileType>, on canvas: UnsafeMutableBufferPointer<UInt8>,
    width: Int, height: Int, showsTransparent: Bool
  ) -> ImageError? {
    var transparent = -1
    while true {
      var record = UNDEFINED_RECORD_TYPE
      guard unsafe DGifGetRecordType(gif, &record) == GIF_OK else {
        return unsafe failure(gif.pointee.Error)
      }
      switch record {
      case EXTENSION_RECORD_TYPE:
        guard unsafe readExtension(of: gif, transparent: &transparent) else {
          return unsafe failure(gif.pointee.Error)
        }
      case IMAGE_DESC_RECORD_TYPE:
        guard unsafe DGifGetImageDesc(gif) == GIF_OK else {
          return unsafe failure(gif.pointee.Error)
        }
        return unsafe drawRows(
          of: gif, on: canvas, width: width, height: height, transparent: transparent,
          showsTransparent: showsTransparent)
      default:
        return .corrupt("no frame")
      }
    }
  }

  /// Reads one extension; of a graphic control block keeps the transparent index.
  private static func readExtension(
    of gif: UnsafeMutablePointer<GifFileType>, transparent: inout Int
  ) -> Bool {
    var label: Int32 = 0
    var block: UnsafeMutablePointer<GifByteType>?
    guard unsafe DGifGetExtension(gif, &label, &block) == GIF_OK else { return false }
    while let bytes = unsafe block {
      if label == GRAPHICS_EXT_FUNC_CODE {
        var control = GraphicsControlBlock()
        // Safe: giflib's block is its length and then as many bytes.
        if unsafe DGifExtensionToGCB(Int(bytes[0]), bytes + 1, &control) == GIF_OK {
          transparent = Int(control.TransparentColor)
        }
      }
      guard unsafe DGifGetExtensionNext(gif, &block) == GIF_OK else { return false }
    }
    return true
  }

  private static func drawRows(
    of gif: UnsafeMutablePointer<GifFileType>, on canvas: UnsafeMutableBufferPointer<UInt8>,
    width: Int, height: Int, transparent: Int, showsTransparent: Bool
  ) -> ImageError? {
    let image = unsafe gif.pointee.Image
    let (left, top) = unsafe (Int(image.Left), Int(image.Top))
    let (frameWidth, frameHeight) = unsafe (Int(image.Width), Int(image.Height))
    guard frameWidth > 0, frameHeight > 0, left >= 0, top >= 0, left + frameWidth <= width,
      top + frameHeight <= height
    else { return .corrupt("the first frame does not fit the canvas") }
    guard let map = unsafe image.ColorMap ?? gif.pointee.SColorMap else {
      return .corrupt("no colour table")
    }
    let colours = unsafe UnsafeBufferPointer(
      start: map.pointee.Colors, count: Int(map.pointee.ColorCount))
    /// An index beyond the table is black, as in Pillow.
    func colour(_ index: Int) -> GifColorType {
      unsafe index < colours.count ? colours[index] : GifColorType()
    }
    func draw(_ colour: GifColorType, at place: Int) {
      unsafe canvas[place] = colour.Red
      unsafe canvas[place + 1] = colour.Green
      unsafe canvas[place + 2] = colour.Blue
    }
    let hidden = showsTransparent ? -1 : transparent
    if showsTransparent {
      let ground = colour(max(0, transparent))
      for pixel in 0..<width * height { draw(ground, at: 3 * pixel) }
    }
    var row = [UInt8](repeating: 0, count: frameWidth)
    // GIF89a appendix E: every 8th row, then the rows between, in three more passes.
    let passes = unsafe image.Interlace ? [(0, 8), (4, 8), (2, 4), (1, 2)] : [(0, 1)]
    for (first, step) in passes {
      for y in stride(from: first, to: frameHeight, by: step) {
        guard unsafe DGifGetLine(gif, &row, Int32(frameWidth)) == GIF_OK else {
          return unsafe failure(gif.pointee.Error)
        }
        let start = ((top + y) * width + left) * 3
        for (x, index) in row.enumerated() where Int(index) != hidden {
          draw(colour(Int(index)), at: start + x * 3)
        }
      }
    }
    return nil
  }

  private static func failure(_ code: Int32) -> ImageError {
    switch code {
    case D_GIF_ERR_READ_FAILED, D_GIF_ERR_EOF_TOO_SOON: return .truncated
    default:
      guard let words = unsafe GifErrorString(code) else { return .corrupt("giflib: \(code)") }
      return unsafe .corrupt(String(cString: words))
    }
  }
}
