#include "CCLIPVocabulary.h"

// clang has #embed in every mode; it is C23's, and SwiftPM compiles C as C17.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char merges[] = {
#embed "merges.txt.gz"
};

static const unsigned char entities[] = {
#embed "entities.txt.gz"
};

static const unsigned char tables[] = {
#embed "text_tables.txt.gz"
};

PairloomBlob pairloom_clip_merges(void) {
  return (PairloomBlob){.bytes = merges, .length = sizeof merges};
}

PairloomBlob pairloom_html_entities(void) {
  return (PairloomBlob){.bytes = entities, .length = sizeof entities};
}

PairloomBlob pairloom_text_tables(void) {
  return (PairloomBlob){.bytes = tables, .length = sizeof tables};
}
