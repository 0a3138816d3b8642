#include "CFilterPresets.h"

// clang has #embed in every mode; it is C23's, and SwiftPM compiles C as C17.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char coyo[] = {
#embed "../../../Pipelines/filters/coyo.yaml"
};
static const unsigned char datacomp_basic[] = {
#embed "../../../Pipelines/filters/datacomp-basic.yaml"
};
static const unsigned char datacomp_clip_l14_30[] = {
#embed "../../../Pipelines/filters/datacomp-clip-l14-30.yaml"
};
static const unsigned char laion_2b_en[] = {
#embed "../../../Pipelines/filters/laion-2b-en.yaml"
};
static const unsigned char laion_400m[] = {
#embed "../../../Pipelines/filters/laion-400m.yaml"
};

static const PairloomFilterPreset presets[] = {
    {"coyo", coyo, sizeof coyo},
    {"datacomp-basic", datacomp_basic, sizeof datacomp_basic},
    {"datacomp-clip-l14-30", datacomp_clip_l14_30, sizeof datacomp_clip_l14_30},
    {"laion-2b-en", laion_2b_en, sizeof laion_2b_en},
    {"laion-400m", laion_400m, sizeof laion_400m},
};

size_t pairloom_filter_preset_count(void) { return sizeof presets / sizeof presets[0]; }

PairloomFilterPreset pairloom_filter_preset_at(size_t index) { return presets[index]; }
