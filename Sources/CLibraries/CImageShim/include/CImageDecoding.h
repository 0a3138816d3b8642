// The reading half of CImageShim.h.
#ifndef PAIRLOOM_CIMAGEDECODING_H
#define PAIRLOOM_CIMAGEDECODING_H

#include <stddef.h>
#include <stdint.h>

/// What a JPEG's markers say up to the first scan.
typedef struct {
  uint32_t width;
  uint32_t height;
  int channels;  // 1 grey, 3 colour, 4 inks
} cimage_jpeg_info;

/// How a JPEG is to be decoded.
typedef struct {
  uint32_t width;   // the header's, for which the caller made room
  uint32_t height;
  int eighths;      // 1, 2, 4 or 8: each side comes out as ceil(side * eighths / 8)
  int channels;     // 3: RGB; 1: grey; 4: inks, 255 full: the last two for pictures that have them
  int tolerates_truncation;  // what is missing is grey
  int tolerates_damage;      // entropy-coded data that libjpeg mends with a warning passes
  int lacks_scans;           // some were left out on purpose: nothing is made up in their place
  int opencv_inks;           // inks become RGB by OpenCV's arithmetic, not Pillow's
} cimage_jpeg_request;

/// Reads a JPEG's markers up to the first scan; allocates no pixel.
int cimage_jpeg_header(
  const uint8_t *bytes, size_t count, cimage_jpeg_info *info, cimage_report *report);

/// Decodes a JPEG of any colour space to `channels` bytes a pixel.
///
/// CIMAGE_CORRUPT when the picture has another size than the caller made room for.
int cimage_jpeg_decode(
  const uint8_t *bytes, size_t count, const cimage_jpeg_request *request, uint8_t *pixels,
  cimage_report *report);

enum {
  CIMAGE_DEPTH_ROUNDED = 0,    // 16 bits become the nearest of 8
  CIMAGE_DEPTH_HIGH_BYTE = 1,  // the low byte is cut off, as Pillow does for RGB
  CIMAGE_DEPTH_SATURATED = 2,  // what is above 255 becomes 255, as OpenCV's JPEG encoder does
  CIMAGE_DEPTH_KEPT = 3,       // two bytes a channel, the high one first: only of 16 bits, as stored
};

/// How a PNG is to be decoded.
typedef struct {
  uint32_t width;  // the header's, for which the caller made room
  uint32_t height;
  int channels;    // 3: RGB, alpha composited on white; -1 grey, -2 grey and alpha, -3 RGB,
                   // -4 RGBA: as stored, for pictures whose colour type is that, or a palette
  int depth;       // what becomes of 16 bits
  int tolerates_truncation;  // what is missing is black, or transparent
} cimage_png_request;

/// Decodes a PNG of any colour type to |channels| bytes a pixel.
int cimage_png_decode(
  const uint8_t *bytes, size_t count, const cimage_png_request *request, uint8_t *pixels,
  cimage_report *report);

/// The profile in a PNG's iCCP chunk, inflated to at most 4 MiB.
///
/// CIMAGE_CORRUPT where there is none that libpng takes. On CIMAGE_OK the caller frees `*out` with
/// cimage_free.
int cimage_png_profile(
  const uint8_t *bytes, size_t count, uint8_t **out, size_t *out_count, cimage_report *report);

#endif
