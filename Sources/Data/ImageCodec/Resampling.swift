extension RGBImage {
  /// The whole picture at another size; equal to Pillow's `Image.resize` bit for bit.
  public func resized(width: Int, height: Int, filter: ResampleFilter) -> RGBImage {
    resized(
      box: (0, 0, Double(self.width), Double(self.height)), width: width, height: height,
      filter: filter)
  }

  /// A part of the picture at another size; equal to Pillow's `Image.resize(box=)` bit for bit.
  ///
  /// Shrinking averages (Pillow's `reducing_gap` is not used). The first pass rounds to 8 bits, so
  /// the order of the passes shows: the horizontal one comes first, as in every Pillow up to 12,
  /// except where Pillow 13 turns them round because the height shrinks by more than twice as many
  /// pixels as the width (python-pillow/Pillow#9549).
  ///
  /// - Parameters:
  ///   - box: The part, in pixels; its edges may lie between pixels. Inside the picture.
  ///   - width: Of the result, at least 1.
  ///   - height: Of the result, at least 1.
  ///   - filter: How pixels are made.
  /// - Returns: `width` × `height` pixels.
  public func resized(
    box: (left: Double, top: Double, right: Double, bottom: Double), width: Int, height: Int,
    filter: ResampleFilter
  ) -> RGBImage {
    resized(
      box: box, width: width, height: height, filter: filter, columns: 0..<width, rows: 0..<height)
  }

  /// A part of what `resized(box:width:height:filter:)` gives, without making the rest.
  func resized(
    box: (left: Double, top: Double, right: Double, bottom: Double), width: Int, height: Int,
    filter: ResampleFilter, columns keptColumns: Range<Int>, rows keptRows: Range<Int>
  ) -> RGBImage {
    precondition(width > 0 && height > 0, "a size of \(width)x\(height)")
    precondition(
      keptColumns.upperBound <= width && keptRows.upperBound <= height && !keptColumns.isEmpty
        && !keptRows.isEmpty, "the part is not inside \(width)x\(height)")
    precondition(
      box.left >= 0 && box.top >= 0 && box.left < box.right && box.top < box.bottom
        && box.right <= Double(self.width) && box.bottom <= Double(self.height),
      "the box \(box) is not inside \(self.width)x\(self.height)")
    // Pillow takes the box in single precision.
    let across = ResampleAxis(
      sourceSize: self.width, start: Float(box.left), end: Float(box.right), size: width,
      kept: keptColumns)
    let down = ResampleAxis(
      sourceSize: self.height, start: Float(box.top), end: Float(box.bottom), size: height,
      kept: keptRows)
    if across.keepsPixels && down.keepsPixels { return part(columns: keptColumns, rows: keptRows) }
    if filter == .nearest {
      return nearest(across, down, width: width, height: height)
        .part(columns: keptColumns, rows: keptRows)
    }

    let kind: ResampleWeightsCache.Kind =
      switch filter {
      case .area: across.scale >= 1 && down.scale >= 1 ? .coverage : .neighbours
      default: .filter(filter)
      }
    let columns = across.keepsPixels ? nil : ResampleWeightsCache.weights(kind, across)
    let rows = down.keepsPixels ? nil : ResampleWeightsCache.weights(kind, down)
    guard let columns else {
      // Columns stay as they are, so only those of the part are looked at.
      let strip = part(columns: keptColumns, rows: 0..<self.height)
      return rows.map { VerticalResampling.resample(strip, firstRow: 0, $0) } ?? strip
    }
    guard let rows else {
      return HorizontalResampling.resample(self, rows: keptRows, columns)
    }
    // Pillow looks at the whole picture here, whatever the box.
    if height < self.height, self.height - height > 2 * (self.width - width) {
      let squeezed = VerticalResampling.resample(self, firstRow: 0, rows)
      return HorizontalResampling.resample(squeezed, rows: 0..<keptRows.count, columns)
    }
    // Only the rows that the vertical pass reads.
    let needed = (rows.windows.first?.lowerBound ?? 0)..<(rows.windows.last?.upperBound ?? 0)
    let narrowed = HorizontalResampling.resample(self, rows: needed, columns)
    return VerticalResampling.resample(narrowed, firstRow: needed.lowerBound, rows)
  }

  private func part(columns: Range<Int>, rows: Range<Int>) -> RGBImage {
    cropped(
      left: columns.lowerBound, top: rows.lowerBound, width: columns.count, height: rows.count)
  }

  /// Pillow's `ImagingScaleAffine`: positions are running sums in double precision.
  private func nearest(
    _ across: ResampleAxis, _ down: ResampleAxis, width: Int, height: Int
  ) -> RGBImage {
    func positions(_ axis: ResampleAxis) -> [Int] {
      var position = Double(axis.start) + axis.scale * 0.5
      return (0..<axis.size).map { _ in
        defer { position += axis.scale }
        return min(Int(position), axis.sourceSize - 1)
      }
    }
    let columns = positions(across)
    let rows = positions(down)
    var result = [UInt8](repeating: 0, count: width * height * 3)
    var target = 0
    for row in rows {
      for column in columns {
        let source = (row * self.width + column) * 3
        result[target] = pixels[source]
        result[target + 1] = pixels[source + 1]
        result[target + 2] = pixels[source + 2]
        target += 3
      }
    }
    return RGBImage(width: width, height: height, pixels: result)
  }
}
