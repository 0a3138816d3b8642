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
    let (left, right) = (Float(box.left), Float(box.right))
    let (top, bottom) = (Float(box.top), Float(box.bottom))
    let keepsColumns = width == self.width && left == 0 && right == Float(width)
    let keepsRows = height == self.height && top == 0 && bottom == Float(height)
    func part(of image: RGBImage) -> RGBImage {
      keptColumns == 0..<image.width && keptRows == 0..<image.height
        ? image
        : image.cropped(
          left: keptColumns.lowerBound, top: keptRows.lowerBound, width: keptColumns.count,
          height: keptRows.count)
    }
    if keepsColumns && keepsRows { return part(of: self) }
    if filter == .nearest {
      return part(
        of: nearest(
          left: left, top: top, right: right, bottom: bottom, width: width, height: height))
    }

    var columns: ResampleWeights?
    var rows: ResampleWeights?
    if !keepsColumns {
      columns = ResampleWeights(
        filter: filter, sourceSize: self.width, start: left, end: right, size: width,
        kept: keptColumns)
    }
    if !keepsRows {
      rows = ResampleWeights(
        filter: filter, sourceSize: self.height, start: top, end: bottom, size: height,
        kept: keptRows)
    }
    guard let columns else {
      // Columns stay as they are, so only those of the part are looked at.
      let strip = cropped(
        left: keptColumns.lowerBound, top: 0, width: keptColumns.count, height: self.height)
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

  /// Pillow's `ImagingScaleAffine`: positions are running sums in double precision.
  private func nearest(
    left: Float, top: Float, right: Float, bottom: Float, width: Int, height: Int
  ) -> RGBImage {
    func positions(_ start: Float, _ end: Float, _ count: Int, _ limit: Int) -> [Int] {
      let step = Double(end - start) / Double(count)
      var position = Double(start) + step * 0.5
      return (0..<count).map { _ in
        defer { position += step }
        return min(Int(position), limit - 1)
      }
    }
    let columns = positions(left, right, width, self.width)
    let rows = positions(top, bottom, height, self.height)
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
