// libjpeg and libpng report errors by longjmp, which must never cross a Swift frame. Each function
// here catches them and returns a code. None keeps a pointer; each is safe on any bytes and from
// any number of threads at once.
#ifndef PAIRLOOM_CIMAGESHIM_H
#define PAIRLOOM_CIMAGESHIM_H

#include <stddef.h>
#include <stdint.h>

enum {
  CIMAGE_OK = 0,
  CIMAGE_TRUNCATED = 1,  // the bytes end before the picture does
  CIMAGE_CORRUPT = 2,    // the library refuses the bytes; the message says why
};

enum { CIMAGE_MESSAGE_SIZE = 256 };

/// What one call came to: the library's words, ended by a zero, for CIMAGE_CORRUPT.
typedef struct {
  char message[CIMAGE_MESSAGE_SIZE];
} cimage_report;

/// How a JPEG is written.
typedef struct {
  int quality;                  // 1 ... 100
  int luma_width, luma_height;  // pixels that share a colour: 1 or 2 each way
  int optimised;                // whether the Huffman tables are made for the picture
  int progressive;
} cimage_jpeg_options;

/// Encodes RGB as a JPEG. On CIMAGE_OK the caller frees `*out` with cimage_free.
int cimage_jpeg_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, cimage_jpeg_options options,
  uint8_t **out, size_t *out_count, cimage_report *report);

/// Encodes RGB as an 8-bit PNG at zlib's level 0 ... 9. On CIMAGE_OK the caller frees `*out` with
/// cimage_free.
int cimage_png_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int level, uint8_t **out,
  size_t *out_count, cimage_report *report);

void cimage_free(uint8_t *bytes);

/// One colour over white by its alpha: round((a * c + (255 - a) * 255) / 255), exactly.
static inline uint8_t cimage_on_white(uint8_t colour, uint8_t alpha) {
  uint32_t t = (uint32_t)alpha * colour + (255u - alpha) * 255u + 128u;
  return (uint8_t)((t + (t >> 8)) >> 8);
}

#include "CImageDecoding.h"  // what reads pictures; it uses the names above

#endif
