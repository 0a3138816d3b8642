// PNG decoding on libpng: any colour type to 8 bits a channel, alpha on white where asked for.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "CImageShim.h"

enum { MAX_PROFILE_BYTES = 4 << 20 };

typedef struct {
  png_structp png;
  png_infop info;
  cimage_report *report;
  int code;
  const uint8_t *input;
  size_t input_left;
  // Rows before they are composited or narrowed: one, or all of them when interlaced.
  uint8_t *buffer;
  size_t row_bytes;
  int is_buffer_whole;
} png_work;

static void on_error(png_structp png, png_const_charp message) {
  png_work *work = png_get_error_ptr(png);
  snprintf(work->report->message, CIMAGE_MESSAGE_SIZE, "%s", message);
  if (work->code == CIMAGE_OK) work->code = CIMAGE_CORRUPT;
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  png_work *work = png_get_io_ptr(png);
  if (count > work->input_left) {
    work->code = CIMAGE_TRUNCATED;
    png_error(png, "the file ends early");
  }
  memcpy(target, work->input, count);
  work->input += count;
  work->input_left -= count;
}

static void row_on_white(const uint8_t *rgba, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, rgba += 4, rgb += 3) {
    for (int c = 0; c < 3; c++) rgb[c] = cimage_on_white(rgba[c], rgba[3]);
  }
}

// img2dataset's arithmetic on 16-bit rows: alpha / 255 * rgb + 255 - alpha, cut to 0 … 255, over
// values of 0 … 65,535; without alpha OpenCV's encoder cuts to 255.
static void saturated_row(const uint8_t *row, uint8_t *rgb, uint32_t width, int channels) {
  for (uint32_t x = 0; x < width; x++, row += 2 * channels, rgb += 3) {
    double alpha = channels == 4 ? row[6] << 8 | row[7] : 255;
    for (int c = 0; c < 3; c++) {
      double value = alpha / 255 * (row[2 * c] << 8 | row[2 * c + 1]) + 255 - alpha;
      rgb[c] = value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5);
    }
  }
}

static void finish_row(
  const png_work *work, const cimage_png_request *request, const uint8_t *row, uint8_t *rgb) {
  if (work->row_bytes > (size_t)request->width * 4) {
    int channels = (int)(work->row_bytes / 2 / request->width);
    saturated_row(row, rgb, request->width, channels);
  } else {
    row_on_white(row, rgb, request->width);
  }
}

static size_t row_stride(const cimage_png_request *request) {
  size_t bytes = request->depth == CIMAGE_DEPTH_KEPT ? 2 : 1;
  return (size_t)request->width * (size_t)abs(request->channels) * bytes;
}

// Transformations that bring rows to `request`'s channels; returns whether alpha is left to
// composite.
static int set_transformations(png_work *work, const cimage_png_request *request) {
  png_structp png = work->png;
  int colour_type = png_get_color_type(png, work->info);
  int has_alpha = (colour_type & PNG_COLOR_MASK_ALPHA) != 0
    || png_get_valid(png, work->info, PNG_INFO_tRNS) != 0;
  png_set_expand(png);  // palette, 1/2/4 bits and tRNS to plain channels, before 16 bits are cut
  if (request->depth == CIMAGE_DEPTH_ROUNDED) png_set_scale_16(png);
  if (request->depth == CIMAGE_DEPTH_HIGH_BYTE) png_set_strip_16(png);
  int is_stored = request->channels < 0;
  if (!is_stored || request->channels <= -3) png_set_gray_to_rgb(png);
  if (!is_stored) return has_alpha;
  int wants_alpha = request->channels % 2 == 0;
  if (wants_alpha && !has_alpha) png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
  if (!wants_alpha && has_alpha) png_set_strip_alpha(png);
  return 0;
}

static void read_pixels(png_work *work, const cimage_png_request *request, uint8_t *pixels) {
  png_structp png = work->png;
  int has_alpha = set_transformations(work, request);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, work->info);
  size_t width = request->width;
  size_t stride = row_stride(request);
  int is_wide =
    png_get_bit_depth(png, work->info) == 16 && request->depth != CIMAGE_DEPTH_KEPT;
  work->row_bytes = png_get_rowbytes(png, work->info);
  size_t expected = (has_alpha ? width * 4 : stride) * (is_wide ? 2 : 1);
  if (work->row_bytes != expected) png_error(png, "unexpected row size");

  if (!has_alpha && !is_wide) {
    // Interlaced passes fill in the rows where they are.
    for (int pass = 0; pass < passes; pass++) {
      for (uint32_t y = 0; y < request->height; y++) png_read_row(png, pixels + y * stride, NULL);
    }
  } else {
    work->is_buffer_whole = passes > 1;
    work->buffer = calloc(passes > 1 ? request->height : 1, work->row_bytes);
    if (!work->buffer) png_error(png, "out of memory");
    for (int pass = 0; pass < passes; pass++) {
      for (uint32_t y = 0; y < request->height; y++) {
        uint8_t *row = work->buffer + (passes > 1 ? y * work->row_bytes : 0);
        png_read_row(png, row, NULL);
        if (passes == 1) finish_row(work, request, row, pixels + y * stride);
      }
    }
  }
  png_read_end(png, NULL);  // a file without IEND is cut
}

// Text, profiles and whatever may inflate without bound: nothing here looks at them.
static const png_byte skipped_chunks[] =
  "zTXt\0iTXt\0tEXt\0eXIf\0hIST\0sPLT\0pCAL\0sCAL\0tIME\0gAMA\0cHRM\0sRGB\0bKGD\0iCCP";

static int open_png(png_work *work, int takes_profile) {
  work->report->message[0] = 0;
  work->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, work, on_error, on_warning);
  if (work->png) work->info = png_create_info_struct(work->png);
  if (!work->info) {
    png_destroy_read_struct(&work->png, NULL, NULL);
    snprintf(work->report->message, CIMAGE_MESSAGE_SIZE, "out of memory");
    return CIMAGE_CORRUPT;
  }
  png_set_read_fn(work->png, work, read_bytes);
  png_set_user_limits(work->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the caller has checked
  png_set_chunk_malloc_max(work->png, MAX_PROFILE_BYTES);
  int skipped = (int)sizeof skipped_chunks / 5 - (takes_profile ? 1 : 0);
  png_set_keep_unknown_chunks(work->png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, skipped);
  return CIMAGE_OK;
}

// `piece`: how many bytes of IDAT libpng asks for at a time, 0 for its own number.
static int decode(
  const uint8_t *bytes, size_t count, size_t piece, const cimage_png_request *request,
  uint8_t *pixels, cimage_report *report) {
  png_work work = {.report = report, .input = bytes, .input_left = count};
  if (open_png(&work, 0) != CIMAGE_OK) return CIMAGE_CORRUPT;
  if (piece > 0) png_set_compression_buffer_size(work.png, piece);
  size_t stride = row_stride(request);
  if (request->tolerates_truncation) {
    memset(pixels, request->channels == 3 ? 0xff : 0, stride * request->height);
  }
  if (setjmp(png_jmpbuf(work.png)) == 0) {
    png_read_info(work.png, work.info);
    if (png_get_image_width(work.png, work.info) != request->width
        || png_get_image_height(work.png, work.info) != request->height) {
      png_error(work.png, "the size is not the header's");
    }
    int has_alpha = png_get_valid(work.png, work.info, PNG_INFO_tRNS) != 0
      || (png_get_color_type(work.png, work.info) & PNG_COLOR_MASK_ALPHA) != 0;
    if (request->tolerates_truncation && !has_alpha) memset(pixels, 0, stride * request->height);
    read_pixels(&work, request, pixels);
  }
  // `row_bytes` is set once the first row may come: without that there is no picture to tolerate.
  if (work.code == CIMAGE_TRUNCATED && piece > 0 && work.row_bytes > 0) work.code = CIMAGE_OK;
  if (work.code == CIMAGE_OK && work.is_buffer_whole) {
    for (uint32_t y = 0; y < request->height; y++) {
      finish_row(&work, request, work.buffer + y * work.row_bytes, pixels + y * stride);
    }
  }
  png_destroy_read_struct(&work.png, &work.info, NULL);
  free(work.buffer);
  return work.code;
}

int cimage_png_decode(
  const uint8_t *bytes, size_t count, const cimage_png_request *request, uint8_t *pixels,
  cimage_report *report) {
  int code = decode(bytes, count, 0, request, pixels, report);
  if (code != CIMAGE_TRUNCATED || !request->tolerates_truncation) return code;
  // libpng unpacks nothing of a piece that is cut, so the pieces are small the second time.
  return decode(bytes, count, 16, request, pixels, report);
}

int cimage_png_profile(
  const uint8_t *bytes, size_t count, uint8_t **out, size_t *out_count, cimage_report *report) {
  png_work work = {.report = report, .input = bytes, .input_left = count};
  if (open_png(&work, 1) != CIMAGE_OK) return CIMAGE_CORRUPT;
  if (setjmp(png_jmpbuf(work.png)) == 0) {
    png_charp name;
    png_bytep profile;
    png_uint_32 size = 0;
    int method;
    png_read_info(work.png, work.info);
    if (png_get_iCCP(work.png, work.info, &name, &method, &profile, &size) == 0 || size == 0) {
      png_error(work.png, "no profile");
    }
    work.buffer = malloc(size);
    if (!work.buffer) png_error(work.png, "out of memory");
    memcpy(work.buffer, profile, size);
    *out = work.buffer;
    *out_count = size;
  }
  png_destroy_read_struct(&work.png, &work.info, NULL);
  if (work.code != CIMAGE_OK) free(work.buffer);
  return work.code;
}
