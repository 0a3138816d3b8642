// Products of floats, a tile at a time.
#include "CMatrixKernels.h"
#include "finish.h"
#include <immintrin.h>

#define WITH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define WITH_AVX2 __attribute__((target("avx2,fma")))

WITH_AVX512 void matrix_float_tile_avx512(
    const float *a, const float *panel, long k, matrix_target target) {
  __m512 sums[MATRIX_ROWS_512][2];
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_512; row++)
    sums[row][0] = sums[row][1] = _mm512_setzero_ps();
  for (long step = 0; step < k; step++) {
    const __m512 left = _mm512_loadu_ps(panel), right = _mm512_loadu_ps(panel + 16);
    // The panel streams from the second-level cache.
    _mm_prefetch((const char *)(panel + 512), _MM_HINT_T0);
    _mm_prefetch((const char *)(panel + 528), _MM_HINT_T0);
#pragma clang loop unroll(full)
    for (int row = 0; row < MATRIX_ROWS_512; row++) {
      const __m512 value = _mm512_set1_ps(a[row]);
      sums[row][0] = _mm512_fmadd_ps(value, left, sums[row][0]);
      sums[row][1] = _mm512_fmadd_ps(value, right, sums[row][1]);
    }
    a += MATRIX_ROWS_512;
    panel += MATRIX_COLUMNS_512;
  }
  float tile[MATRIX_ROWS_512 * MATRIX_COLUMNS_512];
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_512; row++) {
    _mm512_storeu_ps(tile + row * MATRIX_COLUMNS_512, sums[row][0]);
    _mm512_storeu_ps(tile + row * MATRIX_COLUMNS_512 + 16, sums[row][1]);
  }
  finish(tile, MATRIX_COLUMNS_512, target);
}

WITH_AVX2 void matrix_float_tile_avx2(
    const float *a, const float *panel, long k, matrix_target target) {
  __m256 sums[MATRIX_ROWS_256][2];
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_256; row++)
    sums[row][0] = sums[row][1] = _mm256_setzero_ps();
  for (long step = 0; step < k; step++) {
    const __m256 left = _mm256_loadu_ps(panel), right = _mm256_loadu_ps(panel + 8);
    _mm_prefetch((const char *)(panel + 256), _MM_HINT_T0);
#pragma clang loop unroll(full)
    for (int row = 0; row < MATRIX_ROWS_256; row++) {
      const __m256 value = _mm256_broadcast_ss(a + row);
      sums[row][0] = _mm256_fmadd_ps(value, left, sums[row][0]);
      sums[row][1] = _mm256_fmadd_ps(value, right, sums[row][1]);
    }
    a += MATRIX_ROWS_256;
    panel += MATRIX_COLUMNS_256;
  }
  float tile[MATRIX_ROWS_256 * MATRIX_COLUMNS_256];
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_256; row++) {
    _mm256_storeu_ps(tile + row * MATRIX_COLUMNS_256, sums[row][0]);
    _mm256_storeu_ps(tile + row * MATRIX_COLUMNS_256 + 8, sums[row][1]);
  }
  finish(tile, MATRIX_COLUMNS_256, target);
}
