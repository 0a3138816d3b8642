#pragma once
#include <stddef.h>

// Gzip files that live in the program. make_data.py and make_text_tables.py write them and say what
// they hold.

typedef struct {
  const unsigned char *bytes;  // constant, never freed
  size_t length;
} PairloomBlob;

PairloomBlob pairloom_clip_merges(void);
PairloomBlob pairloom_html_entities(void);
PairloomBlob pairloom_text_tables(void);
