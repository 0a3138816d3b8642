// PNG encoding on libpng: the same pixels give the same bytes.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "CImageShim.h"

typedef struct {
  cimage_report *report;
  int code;
  png_structp png;
  png_infop info;
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
