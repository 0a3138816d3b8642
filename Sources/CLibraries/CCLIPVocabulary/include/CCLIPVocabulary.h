#pragma once
#include <stddef.h>

// Two gzip files that live in the program. make_data.py writes them and says what they hold.

typedef struct {
  const unsigned char *bytes;  // constant, never freed
  size_t length;
} PairloomBlob;

PairloomBlob pairloom_clip_merges(void);
PairloomBlob pairloom_html_entities(void);
