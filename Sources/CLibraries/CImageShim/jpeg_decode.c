// JPEG decoding on libjpeg-turbo, strict about missing data.
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "CImageShim.h"

// A progressive file may repeat scans without end, each as dear as a picture. The standard
// script has 10; libjpeg-turbo's own advice is a limit of this order.
enum { MAX_SCANS = 100 };

typedef struct {
  struct jpeg_error_mgr manager;  // first, so that cinfo->err is also a pointer to this
  jmp_buf escape;
  cimage_report *report;
  int code;
} jpeg_failure;

typedef struct {
  struct jpeg_decompress_struct cinfo;
  jpeg_failure failure;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
} jpeg_reader;

static void fail(j_common_ptr cinfo, int code) {
  jpeg_failure *failure = (jpeg_failure *)cinfo->err;
  char message[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, message);
  snprintf(failure->report->message, CIMAGE_MESSAGE_SIZE, "%s", message);
  failure->code = code;
  longjmp(failure->escape, 1);
}

static void error_exit(j_common_ptr cinfo) { fail(cinfo, CIMAGE_CORRUPT); }

// Warnings (level -1) where the decoder invents pixels end the decoding; those where the data is
// merely untidy (extraneous bytes between markers, odd JFIF version, bad ICC, unusual progression)
// are what real files are full of, and pass.
static void emit_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  cinfo->err->num_warnings++;
  switch (cinfo->err->msg_code) {
    case JWRN_JPEG_EOF:
      fail(cinfo, CIMAGE_TRUNCATED);
      break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_TOO_MUCH_DATA:
      fail(cinfo, CIMAGE_CORRUPT);
      break;
    default:
      break;
  }
}

static void output_message(j_common_ptr cinfo) { (void)cinfo; }

static void init_source(j_decompress_ptr cinfo) { (void)cinfo; }

static void term_source(j_decompress_ptr cinfo) { (void)cinfo; }

// All bytes are there from the start, so a wish for more means that the file is cut.
static boolean fill_input_buffer(j_decompress_ptr cinfo) {
  cinfo->err->msg_code = JWRN_JPEG_EOF;
  fail((j_common_ptr)cinfo, CIMAGE_TRUNCATED);
  return FALSE;
}

static void skip_input_data(j_decompress_ptr cinfo, long count) {
  if (count <= 0) return;
  if ((size_t)count > cinfo->src->bytes_in_buffer) fill_input_buffer(cinfo);
  cinfo->src->next_input_byte += count;
  cinfo->src->bytes_in_buffer -= (size_t)count;
}

static void limit_scans(j_common_ptr cinfo) {
  if (!cinfo->is_decompressor) return;
  if (((j_decompress_ptr)cinfo)->input_scan_number > MAX_SCANS) {
    jpeg_failure *failure = (jpeg_failure *)cinfo->err;
    snprintf(failure->report->message, CIMAGE_MESSAGE_SIZE, "more than %d scans", MAX_SCANS);
    failure->code = CIMAGE_CORRUPT;
    longjmp(failure->escape, 1);
  }
}

// Everything but setjmp, which must stand in the function that outlives the jump.
static void open_reader(
  jpeg_reader *reader, const uint8_t *bytes, size_t count, cimage_report *report) {
  memset(reader, 0, sizeof *reader);
  report->message[0] = 0;
  reader->failure.report = report;
  reader->cinfo.err = jpeg_std_error(&reader->failure.manager);
  reader->failure.manager.error_exit = error_exit;
  reader->failure.manager.emit_message = emit_message;
  reader->failure.manager.output_message = output_message;
  reader->source.init_source = init_source;
  reader->source.fill_input_buffer = fill_input_buffer;
  reader->source.skip_input_data = skip_input_data;
  reader->source.resync_to_restart = jpeg_resync_to_restart;
  reader->source.term_source = term_source;
  reader->source.next_input_byte = bytes;
  reader->source.bytes_in_buffer = count;
  reader->progress.progress_monitor = limit_scans;
}

static void read_header(jpeg_reader *reader) {
  jpeg_create_decompress(&reader->cinfo);
  reader->cinfo.src = &reader->source;
  reader->cinfo.progress = &reader->progress;
  jpeg_read_header(&reader->cinfo, TRUE);
}

int cimage_jpeg_header(
  const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, cimage_report *report) {
  jpeg_reader reader;
  open_reader(&reader, bytes, count, report);
  if (setjmp(reader.failure.escape) == 0) {
    read_header(&reader);
    *width = reader.cinfo.image_width;
    *height = reader.cinfo.image_height;
  }
  jpeg_destroy_decompress(&reader.cinfo);
  return reader.failure.code;
}

static uint8_t times(uint8_t a, uint8_t b) {
  uint32_t t = (uint32_t)a * b + 128;
  return (uint8_t)((t + (t >> 8)) >> 8);
}

// `row` holds inks as paper left white (255 = no ink) when `inverted`, as Adobe writes them. The
// arithmetic is Pillow's cmyk2rgb, so that both show the same pixel.
static void cmyk_to_rgb(const uint8_t *row, uint8_t *rgb, uint32_t width, int inverted) {
  uint8_t flip = inverted ? 0xff : 0;
  for (uint32_t x = 0; x < width; x++, row += 4, rgb += 3) {
    uint8_t white = (uint8_t)(0xff - (row[3] ^ flip));
    for (int c = 0; c < 3; c++) {
      rgb[c] = (uint8_t)(white - times((uint8_t)(row[c] ^ flip), white));
    }
  }
}

static void decode_rows(jpeg_reader *reader, uint8_t *rgb) {
  j_decompress_ptr cinfo = &reader->cinfo;
  size_t stride = (size_t)cinfo->output_width * 3;
  if (cinfo->out_color_space == JCS_CMYK) {
    JSAMPARRAY row = cinfo->mem->alloc_sarray(
      (j_common_ptr)cinfo, JPOOL_IMAGE, cinfo->output_width * 4, 1);
    while (cinfo->output_scanline < cinfo->output_height) {
      uint8_t *target = rgb + cinfo->output_scanline * stride;
      jpeg_read_scanlines(cinfo, row, 1);
      cmyk_to_rgb(row[0], target, cinfo->output_width, cinfo->saw_Adobe_marker);
    }
    return;
  }
  while (cinfo->output_scanline < cinfo->output_height) {
    // libjpeg fills several rows per call where its upsampler makes them together.
    JSAMPROW rows[8];
    JDIMENSION count = cinfo->output_height - cinfo->output_scanline;
    if (count > 8) count = 8;
    for (JDIMENSION i = 0; i < count; i++) {
      rows[i] = rgb + (cinfo->output_scanline + i) * stride;
    }
    jpeg_read_scanlines(cinfo, rows, count);
  }
}

int cimage_jpeg_decode(
  const uint8_t *bytes, size_t count, uint8_t *rgb, uint32_t width, uint32_t height,
  cimage_report *report) {
  jpeg_reader reader;
  open_reader(&reader, bytes, count, report);
  if (setjmp(reader.failure.escape) == 0) {
    read_header(&reader);
    int inks = reader.cinfo.jpeg_color_space == JCS_CMYK
      || reader.cinfo.jpeg_color_space == JCS_YCCK;
    reader.cinfo.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    if (reader.cinfo.image_width != width || reader.cinfo.image_height != height) {
      snprintf(report->message, CIMAGE_MESSAGE_SIZE, "the size is not the header's");
      reader.failure.code = CIMAGE_CORRUPT;
    } else {
      jpeg_start_decompress(&reader.cinfo);
      decode_rows(&reader, rgb);
      // Reads on to the end-of-image marker: a file without one is cut.
      jpeg_finish_decompress(&reader.cinfo);
    }
  }
  jpeg_destroy_decompress(&reader.cinfo);
  return reader.failure.code;
}
