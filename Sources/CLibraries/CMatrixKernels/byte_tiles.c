// Products of bytes, a tile at a time: activations of 8 bits with a scale per row, weights of 8 bits
// with a scale per column, sums in 32 bits that never overflow for fewer than 2^31 / (127 · 255)
// columns.
#include "CMatrixKernels.h"
#include "finish.h"
#include <immintrin.h>
#include <string.h>

#define WITH_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define WITH_AVX2 __attribute__((target("avx2,fma")))

// vpdpbusd multiplies unsigned by signed bytes: Σ a·(w + 128) − 128·Σa = Σ a·w. It adds the four
// products of 32 bits each without saturation.
WITH_VNNI void matrix_byte_tile_vnni(
    const int8_t *a, const uint8_t *panel, long quads, matrix_scales scales, matrix_target target) {
  __m512i sums[MATRIX_ROWS_512][2];
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_512; row++)
    sums[row][0] = sums[row][1] = _mm512_setzero_si512();
  for (long step = 0; step < quads; step++) {
    const __m512i left = _mm512_loadu_si512(panel), right = _mm512_loadu_si512(panel + 64);
    _mm_prefetch((const char *)(panel + 2048), _MM_HINT_T0);
    _mm_prefetch((const char *)(panel + 2112), _MM_HINT_T0);
#pragma clang loop unroll(full)
    for (int row = 0; row < MATRIX_ROWS_512; row++) {
      int32_t four;
      memcpy(&four, a + 4 * row, 4);
      const __m512i value = _mm512_set1_epi32(four);
      sums[row][0] = _mm512_dpbusd_epi32(sums[row][0], left, value);
      sums[row][1] = _mm512_dpbusd_epi32(sums[row][1], right, value);
    }
    a += 4 * MATRIX_ROWS_512;
    panel += 4 * MATRIX_COLUMNS_512;
  }
  float tile[MATRIX_ROWS_512 * MATRIX_COLUMNS_512];
  const __m512 left = _mm512_loadu_ps(scales.column_scales);
  const __m512 right = _mm512_loadu_ps(scales.column_scales + 16);
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_512; row++) {
    const __m512i correction = _mm512_set1_epi32(scales.corrections[row]);
    const __m512 scale = _mm512_set1_ps(scales.row_scales[row]);
    const __m512 first = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[row][0], correction));
    const __m512 second = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[row][1], correction));
    float *place = tile + row * MATRIX_COLUMNS_512;
    _mm512_storeu_ps(place, _mm512_mul_ps(first, _mm512_mul_ps(scale, left)));
    _mm512_storeu_ps(place + 16, _mm512_mul_ps(second, _mm512_mul_ps(scale, right)));
  }
  finish(tile, MATRIX_COLUMNS_512, target);
}

// vpmaddwd multiplies 16 signed bits and adds two products in 32: |Σ| ≤ 2 · 127², far from any edge.
// vpmaddubsw would take bytes as they are, but saturates at 16 bits.
WITH_AVX2 void matrix_byte_tile_avx2(
    const int16_t *a, const int8_t *panel, long pairs, matrix_scales scales, matrix_target target) {
  __m256i sums[MATRIX_ROWS_256][2];
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_256; row++)
    sums[row][0] = sums[row][1] = _mm256_setzero_si256();
  for (long step = 0; step < pairs; step++) {
    const __m256i left = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)panel));
    const __m256i right = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(panel + 16)));
    _mm_prefetch((const char *)(panel + 512), _MM_HINT_T0);
#pragma clang loop unroll(full)
    for (int row = 0; row < MATRIX_ROWS_256; row++) {
      int32_t two;
      memcpy(&two, a + 2 * row, 4);
      const __m256i value = _mm256_set1_epi32(two);
      sums[row][0] = _mm256_add_epi32(sums[row][0], _mm256_madd_epi16(value, left));
      sums[row][1] = _mm256_add_epi32(sums[row][1], _mm256_madd_epi16(value, right));
    }
    a += 2 * MATRIX_ROWS_256;
    panel += 2 * MATRIX_COLUMNS_256;
  }
  float tile[MATRIX_ROWS_256 * MATRIX_COLUMNS_256];
  const __m256 left = _mm256_loadu_ps(scales.column_scales);
  const __m256 right = _mm256_loadu_ps(scales.column_scales + 8);
#pragma clang loop unroll(full)
  for (int row = 0; row < MATRIX_ROWS_256; row++) {
    const __m256 scale = _mm256_set1_ps(scales.row_scales[row]);
    float *place = tile + row * MATRIX_COLUMNS_256;
    _mm256_storeu_ps(
        place, _mm256_mul_ps(_mm256_cvtepi32_ps(sums[row][0]), _mm256_mul_ps(scale, left)));
    _mm256_storeu_ps(
        place + 8, _mm256_mul_ps(_mm256_cvtepi32_ps(sums[row][1]), _mm256_mul_ps(scale, right)));
  }
  finish(tile, MATRIX_COLUMNS_256, target);
}
