// The files that travel inside the program: recipes, manifests and the demo's scorer.
#ifndef PAIRLOOM_BUNDLED_H
#define PAIRLOOM_BUNDLED_H
#include <stddef.h>

typedef struct {
  const char *name;            // such as "Pipelines/urls.yaml"
  const unsigned char *bytes;  // lives as long as the program
  size_t count;
} pairloom_bundled_file;

// The number of files, and the file at an index below it.
size_t pairloom_bundled_count(void);
pairloom_bundled_file pairloom_bundled_at(size_t index);

#endif
