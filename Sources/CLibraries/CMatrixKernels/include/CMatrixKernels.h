#ifndef C_MATRIX_KERNELS_H
#define C_MATRIX_KERNELS_H
#include <stdint.h>

// One tile of a product: a few rows of activations by one panel of packed weights.
//
// The …_avx512 and …_vnni functions may run only where matrix_has_avx512 or matrix_has_vnni says so.
// Every element is one chain of fused multiply-adds over k (floats) or one sum in 32 bits (bytes), and
// is finished by the same roundings: its bits depend neither on the tile that it lies in nor on which
// of the functions made it.

enum {
  MATRIX_ROWS_512 = 12, MATRIX_COLUMNS_512 = 32,  // 24 of 32 registers hold sums
  MATRIX_ROWS_256 = 6, MATRIX_COLUMNS_256 = 16,   // 12 of 16
};

// Where a tile's values go: out[row · stride + column] = sum + bias[column] (+ residual[…]).
typedef struct {
  float *out;
  const float *residual;  // of the same stride, or NULL
  const float *bias;      // a whole panel's columns
  long stride;
  int rows, columns;      // what of the tile exists
} matrix_target;

// What turns the sums of bytes into floats.
typedef struct {
  const float *row_scales;     // of the tile's rows
  const float *column_scales;  // a whole panel's columns
  const int32_t *corrections;  // 128 · the sum of each row's bytes; used by VNNI alone
} matrix_scales;

int matrix_has_avx512(void);
int matrix_has_vnni(void);

// a: [k][ROWS], panel: [k][COLUMNS].
void matrix_float_tile_avx512(const float *a, const float *panel, long k, matrix_target target);
void matrix_float_tile_avx2(const float *a, const float *panel, long k, matrix_target target);

// a: [k/4][ROWS][4], panel: [k/4][COLUMNS][4] of weight + 128.
void matrix_byte_tile_vnni(
    const int8_t *a, const uint8_t *panel, long quads, matrix_scales scales, matrix_target target);
// a: [k/2][ROWS][2], panel: [k/2][COLUMNS][2].
void matrix_byte_tile_avx2(
    const int16_t *a, const int8_t *panel, long pairs, matrix_scales scales, matrix_target target);

// The largest |x|; NaN where one is NaN or not finite counts as infinity.
float matrix_largest(const float *x, long count);
// round(x · inverse) to the nearest even number, within −127 … 127, and the sum of the results.
int32_t matrix_quantize(const float *x, long count, float inverse, int8_t *result);
// Bytes to 16 bits.
void matrix_widen(const int8_t *x, long count, int16_t *result);

// result[step · width + row] = x[row · stride + step] for `count` steps, and 0 from `rows` to `width`.
// The units are any four bytes.
void matrix_interleave(
    const float *x, long stride, int rows, long count, float *result, int width);

#endif
