#pragma once
#include <stddef.h>

// The bundled filter plans, Pipelines/filters/*.yaml.

typedef struct {
  const char *name;            // such as "coyo"
  const unsigned char *bytes;  // lives as long as the program
  size_t count;
} PairloomFilterPreset;

// The number of plans, and the plan at an index below it.
size_t pairloom_filter_preset_count(void);
PairloomFilterPreset pairloom_filter_preset_at(size_t index);
