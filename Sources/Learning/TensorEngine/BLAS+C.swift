internal import COpenBLAS
import WorkerThreads

/// The calls into OpenBLAS.
///
/// OpenBLAS may be called from several threads at a time, and computes each call on one; products are cut for
/// the threads here.
enum BLAS {
  // OpenBLAS starts with a thread per core, and its threads spin while they wait for the next product.
  private static let startsSingle: Void = openblas_set_num_threads(1)

  /// The kernel family that OpenBLAS picked for this processor, as in "Haswell".
  static var coreName: String { unsafe String(cString: openblas_get_corename()) }

  /// A matrix inside a tensor: rows of floats, `stride` apart.
  struct Matrix {
    var floats: Floats
    var offset = 0
    var stride: Int
  }

  /// ``sgemm`` cut between rows or columns of C, whichever are more, for the threads there are.
  static func sharedSgemm(
    m: Int, n: Int, k: Int, alpha: Float = 1, _ a: Matrix, transposeA: Bool = false,
    _ b: Matrix, transposeB: Bool = false, beta: Float = 0, into c: Matrix
  ) {
    let threads = TensorThreads.current
    guard threads > 1, m * n * k >= sharedWork else {
      sgemm(
        m: m, n: n, k: k, alpha: alpha, a, transposeA: transposeA, b, transposeB: transposeB,
        beta: beta, into: c)
      return
    }
    let byRows = m >= n
    let grains = ((byRows ? m : n) + sharedGrain - 1) / sharedGrain
    let pieces = min(grains, threads)
    Parallel.forEach(pieces, threads: threads) { piece in
      let first = grains * piece / pieces * sharedGrain
      let count = min(byRows ? m : n, grains * (piece + 1) / pieces * sharedGrain) - first
      guard count > 0 else { return }
      var (a, b, c) = (a, b, c)
      if byRows {
        a.offset += transposeA ? first : first * a.stride
        c.offset += first * c.stride
      } else {
        b.offset += transposeB ? first * b.stride : first
        c.offset += first
      }
      sgemm(
        m: byRows ? count : m, n: byRows ? n : count, k: k, alpha: alpha,
        a, transposeA: transposeA, b, transposeB: transposeB, beta: beta, into: c)
    }
  }

  /// Rows or columns that one thread takes at least: a multiple of every kernel's tile.
  private static let sharedGrain = 48
  /// Multiplications from which a second thread is worth waking: some 10 µs of one core.
  private static let sharedWork = 1 << 20

  /// Row-major C = α·op(A)·op(B) + β·C, where op(A) is `m`×`k`, op(B) `k`×`n` and C `m`×`n`.
  static func sgemm(
    m: Int, n: Int, k: Int, alpha: Float = 1, _ a: Matrix, transposeA: Bool = false,
    _ b: Matrix, transposeB: Bool = false, beta: Float = 0, into c: Matrix
  ) {
    guard m > 0, n > 0 else { return }
    startsSingle
    guard k > 0 else {
      if beta == 0 {
        for row in 0..<m {
          c.floats.fill(c.offset + row * c.stride..<c.offset + row * c.stride + n, with: 0)
        }
      }
      return
    }
    let (aRows, aColumns) = transposeA ? (k, m) : (m, k)
    let (bRows, bColumns) = transposeB ? (n, k) : (k, n)
    unsafe cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      blasint(m), blasint(n), blasint(k), alpha,
      a.floats.address(a.offset, extent: (aRows - 1) * a.stride + aColumns), blasint(a.stride),
      b.floats.address(b.offset, extent: (bRows - 1) * b.stride + bColumns), blasint(b.stride),
      beta, c.floats.address(c.offset, extent: (m - 1) * c.stride + n), blasint(c.stride))
  }
}

/// What the linear algebra underneath is, for benchmark lines.
public enum LinearAlgebra {
  /// The kernel family that OpenBLAS picked for this processor, as in "Haswell".
  public static var coreName: String { BLAS.coreName }
}
