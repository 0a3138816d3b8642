#pragma once
#include <stddef.h>

// The caption language model, a gzip file that lives in the program; make_model.py writes it.

typedef struct {
  const unsigned char *bytes;  // constant, never freed
  size_t length;
} PairloomLanguageModel;

PairloomLanguageModel pairloom_caption_language_model(void);
