// Rows to columns: what the tiles read one after the other.
#include "CMatrixKernels.h"
#include <immintrin.h>

void matrix_interleave(
    const float *x, long stride, int rows, long count, float *result, int width) {
  int row = 0;
  // Four by four in registers. Only moved, never computed with: any bits pass.
  for (; row + 4 <= rows; row += 4) {
    const float *source = x + row * stride;
    long step = 0;
    for (; step + 4 <= count; step += 4) {
      __m128 a = _mm_loadu_ps(source + step), b = _mm_loadu_ps(source + stride + step);
      __m128 c = _mm_loadu_ps(source + 2 * stride + step);
      __m128 d = _mm_loadu_ps(source + 3 * stride + step);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      float *place = result + step * width + row;
      _mm_storeu_ps(place, a);
      _mm_storeu_ps(place + width, b);
      _mm_storeu_ps(place + 2 * width, c);
      _mm_storeu_ps(place + 3 * width, d);
    }
    for (; step < count; step++)
      for (int lane = 0; lane < 4; lane++)
        _mm_store_ss(
            result + step * width + row + lane, _mm_load_ss(source + lane * stride + step));
  }
  for (; row < width; row++)
    for (long step = 0; step < count; step++)
      _mm_store_ss(
          result + step * width + row,
          row < rows ? _mm_load_ss(x + row * stride + step) : _mm_setzero_ps());
}
