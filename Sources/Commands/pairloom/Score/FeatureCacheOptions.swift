import ArgumentParser

/// Where features are remembered from one command to the next.
struct FeatureCacheOptions: ParsableArguments {
  @Option(
    help: """
      A folder that keeps the features of pictures and captions, by content and model: what was encoded \
      once is not again. (default: none; equal ones of one command are encoded once anyway)
      """)
  var featureCache: String?
}
