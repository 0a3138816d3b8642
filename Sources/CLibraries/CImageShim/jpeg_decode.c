// JPEG decoding on libjpeg-turbo, strict about missing data unless told otherwise.
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
  // Set once the header is whole: without it there is no picture to tolerate.
  int tolerates_truncation;
  int tolerates_damage;
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

// Warnings (level -1) where the decoder invents pixels end the decoding unless they are tolerated;
// those where the data is merely untidy (extraneous bytes between markers, odd JFIF version, bad
// ICC, unusual progression) are what real files are full of, and pass.
static void emit_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  cinfo->err->num_warnings++;
  // Safe: each cinfo here is the first member of a jpeg_reader.
  const jpeg_reader *reader = (const jpeg_reader *)cinfo;
  if (reader->tolerates_damage) return;
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

// All bytes are there from the start, so a wish for more means that the file is cut. Where that is
// tolerated an end-of-image marker follows, as in Pillow: libjpeg then takes all missing blocks as
// grey.
static boolean fill_input_buffer(j_decompress_ptr cinfo) {
  static const JOCTET end[2] = {0xff, JPEG_EOI};
  jpeg_reader *reader = (jpeg_reader *)cinfo;
  if (reader->tolerates_truncation) {
    reader->tolerates_damage = 1;
    cinfo->src->next_input_byte = end;
    cinfo->src->bytes_in_buffer = sizeof end;
    return TRUE;
  }
  cinfo->err->msg_code = JWRN_JPEG_EOF;
  fail((j_common_ptr)cinfo, CIMAGE_TRUNCATED);
  return FALSE;
}

static void skip_input_data(j_decompress_ptr cinfo, long count) {
  if (count <= 0) return;
  if ((size_t)count > cinfo->src->bytes_in_buffer) {
    fill_input_buffer(cinfo);
    return;
  }
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

static int has_inks(const jpeg_reader *reader) {
  return reader->cinfo.jpeg_color_space == JCS_CMYK || reader->cinfo.jpeg_color_space == JCS_YCCK;
}

int cimage_jpeg_header(
  const uint8_t *bytes, size_t count, cimage_jpeg_info *info, cimage_report *report) {
  jpeg_reader reader;
  open_reader(&reader, bytes, count, report);
  if (setjmp(reader.failure.escape) == 0) {
    read_header(&reader);
    info->width = reader.cinfo.image_width;
    info->height = reader.cinfo.image_height;
    info->channels = has_inks(&reader) ? 4 : reader.cinfo.num_components == 1 ? 1 : 3;
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

// OpenCV's: always taken as inverted, products rounded down.
static void cmyk_to_rgb_opencv(const uint8_t *row, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, row += 4, rgb += 3) {
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(row[3] - ((255 - row[c]) * row[3] >> 8));
  }
}

static void decode_inks(jpeg_reader *reader, const cimage_jpeg_request *request, uint8_t *pixels) {
  j_decompress_ptr cinfo = &reader->cinfo;
  uint32_t width = cinfo->output_width;
  size_t stride = (size_t)width * (size_t)request->channels;
  JSAMPARRAY row = cinfo->mem->alloc_sarray((j_common_ptr)cinfo, JPOOL_IMAGE, width * 4, 1);
  while (cinfo->output_scanline < cinfo->output_height) {
    uint8_t *target = pixels + cinfo->output_scanline * stride;
    jpeg_read_scanlines(cinfo, row, 1);
    if (request->channels == 4) {
      uint8_t flip = cinfo->saw_Adobe_marker ? 0xff : 0;
      for (size_t i = 0; i < stride; i++) target[i] = row[0][i] ^ flip;
    } else if (request->opencv_inks) {
      cmyk_to_rgb_opencv(row[0], target, width);
    } else {
      cmyk_to_rgb(row[0], target, width, cinfo->saw_Adobe_marker);
    }
  }
}

static void decode_rows(jpeg_reader *reader, uint8_t *pixels, int channels) {
  j_decompress_ptr cinfo = &reader->cinfo;
  size_t stride = (size_t)cinfo->output_width * (size_t)channels;
  while (cinfo->output_scanline < cinfo->output_height) {
    // libjpeg fills several rows per call where its upsampler makes them together.
    JSAMPROW rows[8];
    JDIMENSION count = cinfo->output_height - cinfo->output_scanline;
    if (count > 8) count = 8;
    for (JDIMENSION i = 0; i < count; i++) {
      rows[i] = pixels + (cinfo->output_scanline + i) * stride;
    }
    jpeg_read_scanlines(cinfo, rows, count);
  }
}

static uint32_t scaled(uint32_t side, int eighths) {
  return (uint32_t)(((uint64_t)side * (uint64_t)eighths + 7) / 8);
}

static void decode(jpeg_reader *reader, const cimage_jpeg_request *request, uint8_t *pixels) {
  j_decompress_ptr cinfo = &reader->cinfo;
  int inks = has_inks(reader);
  if (cinfo->image_width != request->width || cinfo->image_height != request->height
      || (request->channels == 4 && !inks)) {
    snprintf(reader->failure.report->message, CIMAGE_MESSAGE_SIZE, "the size is not the header's");
    reader->failure.code = CIMAGE_CORRUPT;
    longjmp(reader->failure.escape, 1);
  }
  cinfo->out_color_space = inks ? JCS_CMYK : request->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  cinfo->scale_num = (unsigned)request->eighths;
  cinfo->scale_denom = 8;
  // Guesses coefficients of scans that are missing, from libjpeg-turbo 2.1 on the means too.
  if (request->lacks_scans) cinfo->do_block_smoothing = FALSE;
  reader->tolerates_truncation = request->tolerates_truncation;
  reader->tolerates_damage = request->tolerates_damage;
  jpeg_start_decompress(cinfo);
  if (cinfo->output_width != scaled(request->width, request->eighths)
      || cinfo->output_height != scaled(request->height, request->eighths)) {
    snprintf(reader->failure.report->message, CIMAGE_MESSAGE_SIZE, "unexpected scaled size");
    reader->failure.code = CIMAGE_CORRUPT;
    longjmp(reader->failure.escape, 1);
  }
  if (inks) {
    decode_inks(reader, request, pixels);
  } else {
    decode_rows(reader, pixels, request->channels);
  }
  // Reads on to the end-of-image marker: a file without one is cut.
  jpeg_finish_decompress(cinfo);
}

int cimage_jpeg_decode(
  const uint8_t *bytes, size_t count, const cimage_jpeg_request *request, uint8_t *pixels,
  cimage_report *report) {
  jpeg_reader reader;
  open_reader(&reader, bytes, count, report);
  if (setjmp(reader.failure.escape) == 0) {
    read_header(&reader);
    decode(&reader, request, pixels);
  }
  jpeg_destroy_decompress(&reader.cinfo);
  return reader.failure.code;
}
