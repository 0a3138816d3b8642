// PNG on libpng: any colour type to RGB, alpha on white.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "CImageShim.h"

typedef struct {
  png_structp png;
  png_infop info;
  cimage_report *report;
  int code;
  // Reading.
  const uint8_t *input;
  size_t input_left;
  // Scratch of the decoder, or the encoder's output.
  uint8_t *buffer;
  size_t buffer_count;
  size_t buffer_capacity;
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

static void read_pixels(png_work *work, uint8_t *rgb, uint32_t width, uint32_t height) {
  png_structp png = work->png;
  size_t stride = (size_t)width * 3;
  int has_alpha = (png_get_color_type(png, work->info) & PNG_COLOR_MASK_ALPHA) != 0
    || png_get_valid(png, work->info, PNG_INFO_tRNS) != 0;
  png_set_expand(png);  // palette, 1/2/4 bits and tRNS to plain channels, before 16 bits are cut
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, work->info);
  size_t row_bytes = png_get_rowbytes(png, work->info);
  if (row_bytes != (size_t)width * (has_alpha ? 4 : 3)) png_error(png, "unexpected row size");

  if (!has_alpha) {
    // Interlaced passes fill in the rows where they are.
    for (int pass = 0; pass < passes; pass++) {
      for (uint32_t y = 0; y < height; y++) png_read_row(png, rgb + y * stride, NULL);
    }
  } else if (passes == 1) {
    work->buffer = malloc(row_bytes);
    if (!work->buffer) png_error(png, "out of memory");
    for (uint32_t y = 0; y < height; y++) {
      png_read_row(png, work->buffer, NULL);
      row_on_white(work->buffer, rgb + y * stride, width);
    }
  } else {
    work->buffer = calloc(height, row_bytes);
    if (!work->buffer) png_error(png, "out of memory");
    for (int pass = 0; pass < passes; pass++) {
      for (uint32_t y = 0; y < height; y++) png_read_row(png, work->buffer + y * row_bytes, NULL);
    }
    for (uint32_t y = 0; y < height; y++) {
      row_on_white(work->buffer + y * row_bytes, rgb + y * stride, width);
    }
  }
  png_read_end(png, NULL);  // a file without IEND is cut
}

// Text, profiles and whatever may inflate without bound: nothing here looks at them.
static const png_byte skipped_chunks[] =
  "zTXt\0iTXt\0tEXt\0iCCP\0eXIf\0hIST\0sPLT\0pCAL\0sCAL\0tIME\0gAMA\0cHRM\0sRGB\0bKGD";

int cimage_png_decode(
  const uint8_t *bytes, size_t count, uint8_t *rgb, uint32_t width, uint32_t height,
  cimage_report *report) {
  png_work work = {.report = report, .input = bytes, .input_left = count};
  report->message[0] = 0;
  work.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &work, on_error, on_warning);
  if (work.png) work.info = png_create_info_struct(work.png);
  if (!work.info) {
    png_destroy_read_struct(&work.png, NULL, NULL);
    snprintf(report->message, CIMAGE_MESSAGE_SIZE, "out of memory");
    return CIMAGE_CORRUPT;
  }
  if (setjmp(png_jmpbuf(work.png)) == 0) {
    png_set_read_fn(work.png, &work, read_bytes);
    png_set_user_limits(work.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the caller has checked
    png_set_keep_unknown_chunks(
      work.png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, (int)sizeof skipped_chunks / 5);
    png_read_info(work.png, work.info);
    if (png_get_image_width(work.png, work.info) != width
        || png_get_image_height(work.png, work.info) != height) {
      png_error(work.png, "the size is not the header's");
    }
    read_pixels(&work, rgb, width, height);
  }
  png_destroy_read_struct(&work.png, &work.info, NULL);
  free(work.buffer);
  return work.code;
}

static void write_bytes(png_structp png, png_bytep source, size_t count) {
  png_work *work = png_get_io_ptr(png);
  if (count > work->buffer_capacity - work->buffer_count) {
    size_t capacity = work->buffer_capacity * 2;
    if (capacity < work->buffer_count + count) capacity = work->buffer_count + count;
    uint8_t *grown = realloc(work->buffer, capacity);
    if (!grown) png_error(png, "out of memory");
    work->buffer = grown;
    work->buffer_capacity = capacity;
  }
  memcpy(work->buffer + work->buffer_count, source, count);
  work->buffer_count += count;
}

static void flush_nothing(png_structp png) { (void)png; }

int cimage_png_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int level, uint8_t **out,
  size_t *out_count, cimage_report *report) {
  png_work work = {.report = report};
  report->message[0] = 0;
  work.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &work, on_error, on_warning);
  if (work.png) work.info = png_create_info_struct(work.png);
  if (!work.info) {
    png_destroy_write_struct(&work.png, NULL);
    snprintf(report->message, CIMAGE_MESSAGE_SIZE, "out of memory");
    return CIMAGE_CORRUPT;
  }
  if (setjmp(png_jmpbuf(work.png)) == 0) {
    png_set_write_fn(work.png, &work, write_bytes, flush_nothing);
    png_set_user_limits(work.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_compression_level(work.png, level);
    png_set_IHDR(
      work.png, work.info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(work.png, work.info);
    for (uint32_t y = 0; y < height; y++) {
      png_write_row(work.png, rgb + (size_t)y * width * 3);
    }
    png_write_end(work.png, NULL);
  }
  png_destroy_write_struct(&work.png, &work.info);
  if (work.code != CIMAGE_OK) {
    free(work.buffer);
    return work.code;
  }
  *out = work.buffer;
  *out_count = work.buffer_count;
  return CIMAGE_OK;
}

void cimage_free(uint8_t *bytes) { free(bytes); }
