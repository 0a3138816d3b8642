#include "CCaptionLanguage.h"

// clang has #embed in every mode; it is C23's, and SwiftPM compiles C as C17.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char model[] = {
#embed "model.bin.gz"
};

PairloomLanguageModel pairloom_caption_language_model(void) {
  return (PairloomLanguageModel){.bytes = model, .length = sizeof model};
}
