internal import CMatrixKernels
import Synchronization

/// The processor's instructions that products with packed weights are built of.
///
/// All give the same bits: an element is one chain of fused multiply-adds, or one sum of whole numbers,
/// whichever instructions compute it.
public enum VectorInstructions: Int, Sendable, CaseIterable, Comparable {
  case avx2
  case avx512
  /// AVX-512 with products of bytes (VNNI).
  case vnni

  /// The best that this processor has.
  public static let available: VectorInstructions =
    matrix_has_vnni() != 0 ? .vnni : matrix_has_avx512() != 0 ? .avx512 : .avx2

  private static let limit = Atomic<Int>(VectorInstructions.vnni.rawValue)

  /// Uses nothing better than `best` for weights that are packed from now on.
  public static func limit(to best: VectorInstructions) {
    limit.store(best.rawValue, ordering: .relaxed)
  }

  /// What weights are packed for.
  public static var current: VectorInstructions {
    min(available, VectorInstructions(rawValue: limit.load(ordering: .relaxed)) ?? .avx2)
  }

  public static func < (a: VectorInstructions, b: VectorInstructions) -> Bool {
    a.rawValue < b.rawValue
  }
}

/// The calls into the kernels, each for one tile: `rows` rows of activations by one panel of weights.
enum MatrixTiles {
  /// How activations and weights of a product are laid out in memory.
  struct Layout: Sendable, Equatable {
    var rows: Int
    var columns: Int
    /// Numbers of a row that lie side by side in one unit of four bytes.
    var group: Int

    static func floats(_ instructions: VectorInstructions) -> Layout {
      instructions >= .avx512
        ? Layout(rows: Int(MATRIX_ROWS_512), columns: Int(MATRIX_COLUMNS_512), group: 1)
        : Layout(rows: Int(MATRIX_ROWS_256), columns: Int(MATRIX_COLUMNS_256), group: 1)
    }

    static func bytes(_ instructions: VectorInstructions) -> Layout {
      var layout = floats(instructions >= .vnni ? .avx512 : .avx2)
      layout.group = instructions >= .vnni ? 4 : 2
      return layout
    }

    /// Units of four bytes that a row of `count` numbers takes.
    func units(of count: Int) -> Int { (count + group - 1) / group }
  }

  /// Where the values of a tile go.
  struct Target {
    var out: Floats
    var residual: Floats?
    /// Shared by `out` and `residual`.
    var offset: Int
    var stride: Int
    var rows: Int
    var columns: Int
    var bias: Floats
    var biasOffset: Int

    fileprivate func lent(width: Int) -> matrix_target {
      let extent = (rows - 1) * stride + columns
      return unsafe matrix_target(
        out: out.address(offset, extent: extent),
        residual: residual.map { unsafe UnsafePointer($0.address(offset, extent: extent)) },
        bias: bias.address(biasOffset, extent: width), stride: stride, rows: Int32(rows),
        columns: Int32(columns))
    }
  }

  static func floats(
    _ layout: Layout, _ a: Floats, at start: Int, _ panels: Floats, panel: Int, depth: Int,
    _ target: Target
  ) {
    let left = unsafe a.address(start, extent: depth * layout.rows)
    let right = unsafe panels.address(
      panel * depth * layout.columns, extent: depth * layout.columns)
    let lent = unsafe target.lent(width: layout.columns)
    if layout.rows == Int(MATRIX_ROWS_512) {
      unsafe matrix_float_tile_avx512(left, right, depth, lent)
    } else {
      unsafe matrix_float_tile_avx2(left, right, depth, lent)
    }
  }

  /// What turns sums of bytes into floats: a scale and a correction per row, a scale per column.
  struct Scales {
    var rows: Floats
    /// 128 · the sum of a row's bytes, as bits of whole numbers.
    var corrections: Floats
    var row: Int
    var columns: Floats
  }

  static func bytes(
    _ layout: Layout, _ a: Floats, at start: Int, _ panels: Floats, panel: Int, units: Int,
    _ scales: Scales, _ target: Target
  ) {
    let left = unsafe UnsafeMutableRawPointer(a.address(start, extent: units * layout.rows))
    // A group of four weights is four bytes; a group of two is two.
    let floats = units * layout.columns * layout.group / 4
    let right = unsafe UnsafeMutableRawPointer(panels.address(panel * floats, extent: floats))
    let lent = unsafe target.lent(width: layout.columns)
    let factors = unsafe matrix_scales(
      row_scales: scales.rows.address(scales.row, extent: layout.rows),
      column_scales: scales.columns.address(panel * layout.columns, extent: layout.columns),
      corrections: UnsafeRawPointer(scales.corrections.address(scales.row, extent: layout.rows))
        .assumingMemoryBound(to: Int32.self))
    if layout.group == 4 {
      unsafe matrix_byte_tile_vnni(
        left.assumingMemoryBound(to: Int8.self), right.assumingMemoryBound(to: UInt8.self), units,
        factors, lent)
    } else {
      unsafe matrix_byte_tile_avx2(
        left.assumingMemoryBound(to: Int16.self), right.assumingMemoryBound(to: Int8.self), units,
        factors, lent)
    }
  }

  /// Lays `rows` rows of `units` units each out as a tile, `stride` units apart; missing rows are 0.
  static func interleave(
    _ x: Floats, at start: Int, stride: Int, rows: Int, units: Int, into result: Floats,
    at place: Int, width: Int
  ) {
    guard units > 0, rows > 0 else { return }
    unsafe matrix_interleave(
      x.address(start, extent: (rows - 1) * stride + units), stride, Int32(rows), units,
      result.address(place, extent: units * width), Int32(width))
  }

  /// A row as bytes: round(127 · x / max|x|), padded with zeros to whole groups.
  ///
  /// - Parameters:
  ///   - x: The floats.
  ///   - start: Where the row begins.
  ///   - count: Its length.
  ///   - layout: Two bytes each where the group is two, else one.
  ///   - result: The units are written from `place` on.
  ///   - place: Counted in units.
  ///   - scratch: A row of bytes, where they are widened.
  /// - Returns: max|x| / 127, not finite where a value is not, and the sum of the bytes.
  static func quantize(
    _ x: Floats, at start: Int, count: Int, layout: Layout, into result: Floats, at place: Int,
    scratch: Floats
  ) -> (scale: Float, sum: Int32) {
    let units = layout.units(of: count)
    let source = unsafe x.address(start, extent: count)
    let largest = unsafe matrix_largest(source, count)
    // Below, 127 / largest would be no number; such a row is 0 beside any other.
    let isNothing = largest < 1e-30
    let out = unsafe UnsafeMutableRawPointer(result.address(place, extent: units))
    let bytes =
      layout.group == 4
      ? unsafe out : unsafe UnsafeMutableRawPointer(scratch.address(0, extent: (count + 7) / 4))
    let sum = unsafe matrix_quantize(
      source, count, isNothing ? 0 : 127 / largest, bytes.assumingMemoryBound(to: Int8.self))
    for index in count..<units * layout.group {
      unsafe bytes.storeBytes(of: 0, toByteOffset: index, as: Int8.self)
    }
    if layout.group == 2 {
      unsafe matrix_widen(
        bytes.assumingMemoryBound(to: Int8.self), units * 2,
        out.assumingMemoryBound(to: Int16.self))
    }
    return (isNothing ? 0 : largest / 127, sum)
  }
}

extension Floats {
  /// Keeps the bits of a whole number.
  func setBits(_ index: Int, _ bits: UInt32) { self[index] = Float(bitPattern: bits) }
}

extension MatrixTiles {
  /// A row of weights as bytes, as `quantize` does, without padding.
  ///
  /// - Returns: max|w| / 127.
  static func quantizeWeights(
    _ w: Floats, at start: Int, count: Int, into bytes: Floats
  ) -> Float {
    let source = unsafe w.address(start, extent: count)
    let largest = unsafe matrix_largest(source, count)
    let isNothing = largest < 1e-30
    let out = unsafe UnsafeMutableRawPointer(bytes.address(0, extent: (count + 3) / 4))
    _ = unsafe matrix_quantize(
      source, count, isNothing ? 0 : 127 / largest, out.assumingMemoryBound(to: Int8.self))
    return isNothing ? 0 : largest / 127
  }

  /// Puts a row of bytes into its lane of a panel: w + 128 where the group is four, w where it is two.
  static func placeWeights(
    _ bytes: Floats, count: Int, lane: Int, layout: Layout, into panels: Floats, at place: Int,
    units: Int
  ) {
    let group = layout.group
    let size = units * layout.columns * group / 4
    let source = unsafe UnsafeRawPointer(bytes.address(0, extent: (count + 3) / 4))
    let panel = unsafe UnsafeMutableRawPointer(panels.address(place, extent: size))
    for unit in 0..<units {
      for part in 0..<group {
        let index = unit * group + part
        let weight =
          index < count ? unsafe source.load(fromByteOffset: index, as: Int8.self) : 0
        unsafe panel.storeBytes(
          of: group == 4 ? UInt8(bitPattern: weight) ^ 0x80 : UInt8(bitPattern: weight),
          toByteOffset: (unit * layout.columns + lane) * group + part, as: UInt8.self)
      }
    }
  }
}
