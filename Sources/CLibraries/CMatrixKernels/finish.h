#ifndef MATRIX_FINISH_H
#define MATRIX_FINISH_H
#include "CMatrixKernels.h"
#include <immintrin.h>

// Adds bias and residual to a tile and writes what of it exists.
__attribute__((target("avx2,fma"), always_inline)) static inline void finish(
    const float *tile, int width, matrix_target target) {
  for (int row = 0; row < target.rows; row++) {
    const float *sums = tile + row * width;
    float *out = target.out + row * target.stride;
    const float *residual = target.residual ? target.residual + row * target.stride : 0;
    if (target.columns == width) {
      for (int column = 0; column < width; column += 8) {
        __m256 value =
            _mm256_add_ps(_mm256_loadu_ps(sums + column), _mm256_loadu_ps(target.bias + column));
        if (residual) value = _mm256_add_ps(value, _mm256_loadu_ps(residual + column));
        _mm256_storeu_ps(out + column, value);
      }
    } else {
      for (int column = 0; column < target.columns; column++) {
        float value = sums[column] + target.bias[column];
        out[column] = residual ? value + residual[column] : value;
      }
    }
  }
}

#endif
