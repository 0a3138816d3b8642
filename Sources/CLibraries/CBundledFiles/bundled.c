#include "bundled.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// #embed (C23) reads a file at compile time; Package.swift keeps these files out of the sources.
static const unsigned char urls[] = {
#embed "../../../Pipelines/urls.yaml"
};
static const unsigned char scenes[] = {
#embed "../../../Pipelines/scenes.yaml"
};
static const unsigned char small_clip[] = {
#embed "../../../Manifests/small.yaml"
};
static const unsigned char filter_network[] = {
#embed "../../../Manifests/filter-network.yaml"
};
static const unsigned char real_pairs[] = {
#embed "../../../Manifests/real-pairs.yaml"
};
static const unsigned char fashion_mnist[] = {
#embed "../../../Manifests/fashion-mnist.yaml"
};
static const unsigned char scene_clip[] = {
#embed "../../../Manifests/scenes.yaml"
};
static const unsigned char scene_scorer[] = {
#embed "../../../Manifests/scene-scorer.yaml"
};
// `make scorer` writes these three; the first build of a scorer goes without them.
#if __has_embed("scorer/model.safetensors")
static const unsigned char scorer_weights[] = {
#embed "scorer/model.safetensors"
};
static const unsigned char scorer_model[] = {
#embed "scorer/model.json"
};
static const unsigned char scorer_tokenizer[] = {
#embed "scorer/tokenizer.merges"
};
#endif

static const pairloom_bundled_file files[] = {
    {"Pipelines/urls.yaml", urls, sizeof urls},
    {"Pipelines/scenes.yaml", scenes, sizeof scenes},
    {"Manifests/small.yaml", small_clip, sizeof small_clip},
    {"Manifests/filter-network.yaml", filter_network, sizeof filter_network},
    {"Manifests/real-pairs.yaml", real_pairs, sizeof real_pairs},
    {"Manifests/fashion-mnist.yaml", fashion_mnist, sizeof fashion_mnist},
    {"Manifests/scenes.yaml", scene_clip, sizeof scene_clip},
    {"Manifests/scene-scorer.yaml", scene_scorer, sizeof scene_scorer},
#if __has_embed("scorer/model.safetensors")
    {"scorer/model.safetensors", scorer_weights, sizeof scorer_weights},
    {"scorer/model.json", scorer_model, sizeof scorer_model},
    {"scorer/tokenizer.merges", scorer_tokenizer, sizeof scorer_tokenizer},
#endif
};

size_t pairloom_bundled_count(void) { return sizeof files / sizeof files[0]; }

pairloom_bundled_file pairloom_bundled_at(size_t index) { return files[index]; }
