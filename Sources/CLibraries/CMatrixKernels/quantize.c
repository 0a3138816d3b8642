// Floats to bytes.
#include "CMatrixKernels.h"
#include <immintrin.h>
#include <math.h>

#define WITH_AVX2 __attribute__((target("avx2,fma")))

int matrix_has_avx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

int matrix_has_vnni(void) {
  return matrix_has_avx512() && __builtin_cpu_supports("avx512vnni");
}

WITH_AVX2 float matrix_largest(const float *x, long count) {
  // Without their sign, floats are ordered as their bits are; a NaN's stand above all others.
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i lanes = _mm256_setzero_si256(), others = lanes;
  long index = 0;
  for (; index + 16 <= count; index += 16) {
    lanes = _mm256_max_epi32(
        lanes,
        _mm256_and_si256(magnitude, _mm256_loadu_si256((const __m256i *)(x + index))));
    others = _mm256_max_epi32(
        others,
        _mm256_and_si256(magnitude, _mm256_loadu_si256((const __m256i *)(x + index + 8))));
  }
  int32_t bits[8], largest = 0;
  _mm256_storeu_si256((__m256i *)bits, _mm256_max_epi32(lanes, others));
  for (int lane = 0; lane < 8; lane++)
    if (bits[lane] > largest) largest = bits[lane];
  for (; index < count; index++) {
    union { float value; int32_t bits; } last = {.value = x[index]};
    if ((last.bits & 0x7FFFFFFF) > largest) largest = last.bits & 0x7FFFFFFF;
  }
  union { int32_t bits; float value; } result = {.bits = largest};
  return result.value;
}

WITH_AVX2 int32_t matrix_quantize(const float *x, long count, float inverse, int8_t *result) {
  const __m256 scale = _mm256_set1_ps(inverse);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i ones = _mm256_set1_epi16(1), bytes = _mm256_set1_epi8(1);
  __m256i sums = _mm256_setzero_si256();
  long index = 0;
  for (; index + 32 <= count; index += 32) {
    __m256i part[4];
    for (int quarter = 0; quarter < 4; quarter++)
      part[quarter] = _mm256_cvtps_epi32(
          _mm256_mul_ps(_mm256_loadu_ps(x + index + 8 * quarter), scale));
    // Packing works within halves of 128 bits: what comes out is put in order again.
    __m256i packed = _mm256_packs_epi16(
        _mm256_packs_epi32(part[0], part[1]), _mm256_packs_epi32(part[2], part[3]));
    packed = _mm256_permutevar8x32_epi32(packed, order);
    _mm256_storeu_si256((__m256i *)(result + index), packed);
    // 1 · a + 1 · b in 16 bits, then the same again in 32.
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(ones, _mm256_maddubs_epi16(bytes, packed)));
  }
  int32_t lanes[8], sum = 0;
  _mm256_storeu_si256((__m256i *)lanes, sums);
  for (int lane = 0; lane < 8; lane++) sum += lanes[lane];
  for (; index < count; index++) {
    // Nearest even, as cvtps does.
    result[index] = (int8_t)_mm_cvtss_si32(_mm_set_ss(x[index] * inverse));
    sum += result[index];
  }
  return sum;
}

void matrix_widen(const int8_t *x, long count, int16_t *result) {
  for (long index = 0; index < count; index++) result[index] = x[index];
}
