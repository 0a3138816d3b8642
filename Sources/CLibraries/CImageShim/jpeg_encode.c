// JPEG encoding on libjpeg-turbo: the same pixels give the same bytes.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "CImageShim.h"

typedef struct {
  struct jpeg_error_mgr manager;  // first, so that cinfo->err is also a pointer to this
  jmp_buf escape;
  cimage_report *report;
} jpeg_failure;

typedef struct {
  struct jpeg_compress_struct cinfo;
  jpeg_failure failure;
  unsigned char *bytes;
  unsigned long count;
} jpeg_writer;

static void error_exit(j_common_ptr cinfo) {
  jpeg_failure *failure = (jpeg_failure *)cinfo->err;
  char message[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, message);
  snprintf(failure->report->message, CIMAGE_MESSAGE_SIZE, "%s", message);
  longjmp(failure->escape, 1);
}

static void output_message(j_common_ptr cinfo) { (void)cinfo; }

static void encode(
  jpeg_writer *writer, const uint8_t *rgb, uint32_t width, uint32_t height,
  cimage_jpeg_options options) {
  j_compress_ptr cinfo = &writer->cinfo;
  jpeg_create_compress(cinfo);
  jpeg_mem_dest(cinfo, &writer->bytes, &writer->count);
  cinfo->image_width = width;
  cinfo->image_height = height;
  cinfo->input_components = 3;
  cinfo->in_color_space = JCS_RGB;
  // The defaults: YCbCr, baseline, standard Huffman tables, slow integer DCT.
  jpeg_set_defaults(cinfo);
  jpeg_set_quality(cinfo, options.quality, TRUE);
  cinfo->comp_info[0].h_samp_factor = options.luma_width;
  cinfo->comp_info[0].v_samp_factor = options.luma_height;
  cinfo->optimize_coding = options.optimised ? TRUE : FALSE;
  if (options.progressive) jpeg_simple_progression(cinfo);
  jpeg_start_compress(cinfo, TRUE);
  size_t stride = (size_t)width * 3;
  while (cinfo->next_scanline < cinfo->image_height) {
    // Two blocks' worth of rows at a time; libjpeg only reads them.
    JSAMPROW rows[16];
    JDIMENSION count = cinfo->image_height - cinfo->next_scanline;
    if (count > 16) count = 16;
    for (JDIMENSION i = 0; i < count; i++) {
      rows[i] = (JSAMPROW)(rgb + (cinfo->next_scanline + i) * stride);
    }
    jpeg_write_scanlines(cinfo, rows, count);
  }
  jpeg_finish_compress(cinfo);
}

int cimage_jpeg_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, cimage_jpeg_options options,
  uint8_t **out, size_t *out_count, cimage_report *report) {
  jpeg_writer writer;
  memset(&writer, 0, sizeof writer);
  report->message[0] = 0;
  writer.failure.report = report;
  writer.cinfo.err = jpeg_std_error(&writer.failure.manager);
  writer.failure.manager.error_exit = error_exit;
  writer.failure.manager.output_message = output_message;
  int code = CIMAGE_OK;
  if (setjmp(writer.failure.escape) == 0) {
    encode(&writer, rgb, width, height, options);
    *out = writer.bytes;
    *out_count = writer.count;
  } else {
    code = CIMAGE_CORRUPT;
  }
  jpeg_destroy_compress(&writer.cinfo);
  // After a failure libjpeg may still hold a larger buffer of its own, gone with the process:
  // it happens only when memory itself has run out.
  if (code != CIMAGE_OK) free(writer.bytes);
  return code;
}
