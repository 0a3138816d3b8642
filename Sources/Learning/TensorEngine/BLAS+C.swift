internal import COpenBLAS

/// The calls into OpenBLAS.
///
/// OpenBLAS may be called from several threads at a time; the number of its own threads is one
/// setting for the whole process.
enum BLAS {
  static func setThreads(_ count: Int) {
    startsSingle
    openblas_set_num_threads(Int32(count))
  }

  // OpenBLAS itself starts with a thread per core, which ranks on one machine would fight over.
  private static let startsSingle: Void = openblas_set_num_threads(1)

  /// The kernel family that OpenBLAS picked for this processor, as in "Haswell".
  static var coreName: String { unsafe String(cString: openblas_get_corename()) }

  /// A matrix inside a tensor: rows of floats, `stride` apart.
  struct Matrix {
    var floats: Floats
    var offset = 0
    var stride: Int
  }

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
