// swift-tools-version: 6.2
// The module map of Pairloom. Read it top to bottom: a target may use only what stands above it.
import Foundation
import PackageDescription

/// A folder of Sources/.
///
/// Data flows one way, so arrows point only to earlier layers, or to targets named earlier in the
/// same layer.
enum Layer: String {
  case primitives = "Primitives"  // files, hashes, randomness, threads: no domain words
  case data = "Data"  // what a pair is, on disk and in memory
  case ledger = "Ledger"  // who does what, durably
  case pipeline = "Pipeline"  // turns URL lists into shards; knows nothing of tensors
  case learning = "Learning"  // tensors to optimizers; knows no model and no data set
  case models = "Models"  // one target per architecture
  case training = "Training"  // turns shards into checkpoints
  case commands = "Commands"  // the only place where pipeline and learning meet

  /// The layers that this one may import, itself aside.
  var mayUse: Set<Layer> {
    switch self {
    case .primitives: []
    case .data, .ledger, .learning: [.primitives]
    case .pipeline: [.primitives, .data, .ledger]
    case .models: [.primitives, .learning]
    case .training: [.primitives, .data, .learning, .models]
    case .commands: [.primitives, .data, .ledger, .pipeline, .learning, .models, .training]
    }
  }
}

struct Module {
  var layer: Layer
  var name: String
  var folder: String
  var needs: [String]
  var cLibraries: [String]
  var products: [Target.Dependency]
  var testNeeds: [String]
}

func module(
  _ layer: Layer, _ name: String, in folder: String? = nil, needs: [String] = [],
  c cLibraries: [String] = [], products: [Target.Dependency] = [], testNeeds: [String] = []
) -> Module {
  Module(
    layer: layer, name: name, folder: folder ?? name, needs: needs, cLibraries: cLibraries,
    products: products, testNeeds: testNeeds)
}

/// A system library by the name that pkg-config knows; `apt` is the Debian package that brings it.
func system(_ name: String, pkgConfig: String?, apt: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig,
    providers: [.apt([apt])])
}

let cLibraries: [Target] = [
  system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
  system("CLZ4", pkgConfig: "liblz4", apt: "liblz4-dev"),
  system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
  system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
  system("CSnappy", pkgConfig: nil, apt: "libsnappy-dev"),
  system("CJPEG", pkgConfig: "libjpeg", apt: "libjpeg-dev"),
  system("CPNG", pkgConfig: "libpng", apt: "libpng-dev"),
  system("CWebP", pkgConfig: "libwebp", apt: "libwebp-dev"),
  system("CGIF", pkgConfig: nil, apt: "libgif-dev"),
  system("CLCMS", pkgConfig: "lcms2", apt: "liblcms2-dev"),
  // The compiler's vector instructions, for kernels that plain Swift does not reach.
  .systemLibrary(name: "CVectorIntrinsics", path: "Sources/CLibraries/CVectorIntrinsics"),
  // statfs(2), which Swift's Glibc leaves out.
  .systemLibrary(name: "CStatfs", path: "Sources/CLibraries/CStatfs"),
  system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
  // libjpeg and libpng report errors by longjmp, which must never cross a Swift frame.
  .target(
    name: "CImageShim", dependencies: ["CJPEG", "CPNG"], path: "Sources/CLibraries/CImageShim"),
  // Products a tile at a time, some of which only newer processors can run.
  .target(
    name: "CMatrixKernels", path: "Sources/CLibraries/CMatrixKernels",
    cSettings: [.unsafeFlags(["-O3"])]),
  // Recipes, manifests and the demo's scorer, embedded by the C compiler.
  .target(
    name: "CBundledFiles", path: "Sources/CLibraries/CBundledFiles", exclude: ["scorer"]),
  // CLIP's table of merges, HTML's entities and properties of characters, embedded by the C compiler.
  .target(
    name: "CCLIPVocabulary", path: "Sources/CLibraries/CCLIPVocabulary",
    exclude: [
      "merges.txt.gz", "entities.txt.gz", "text_tables.txt.gz", "make_data.py",
      "make_text_tables.py", "NOTICE.txt",
    ]),
  // The bundled filter plans, embedded by the C compiler.
  .target(name: "CFilterPresets", path: "Sources/CLibraries/CFilterPresets"),
  // The language model of captions, embedded by the C compiler.
  .target(
    name: "CCaptionLanguage", path: "Sources/CLibraries/CCaptionLanguage",
    exclude: ["model.bin.gz", "make_model.py", "accuracy.txt"]),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let modules: [Module] = [
  module(.primitives, "DurableFiles"),
  module(.primitives, "ContentHashing", needs: ["DurableFiles"], products: [crypto]),
  module(.primitives, "SeededRandom"),
  module(.primitives, "WorkerThreads"),
  module(.primitives, "WorkerProcesses", testNeeds: ["FaultyWorker"]),
  module(.primitives, "Compression", c: ["CZlib", "CZstd", "CSnappy", "CLZ4"]),
  module(.primitives, "ZipFiles", needs: ["DurableFiles", "Compression"]),
  module(
    .primitives, "HammingSearch", needs: ["WorkerThreads"], c: ["CVectorIntrinsics"],
    testNeeds: ["SeededRandom"]),
  module(
    .primitives, "SegmentFile", needs: ["DurableFiles", "ContentHashing"],
    testNeeds: ["SeededRandom"]),

  module(
    .data, "ImageCodec", c: ["CImageShim", "CWebP", "CGIF", "CLCMS", "CVectorIntrinsics"],
    testNeeds: ["TestTools"]),
  module(
    .data, "PerceptualHash", needs: ["ImageCodec"], c: ["CVectorIntrinsics"],
    testNeeds: ["TestTools"]),
  module(
    .data, "PictureIndex",
    needs: [
      "PerceptualHash", "HammingSearch", "SegmentFile", "DurableFiles", "ContentHashing",
      "WorkerThreads",
    ], testNeeds: ["SeededRandom"]),
  module(
    .data, "CaptionMatching",
    needs: ["SegmentFile", "ContentHashing", "SeededRandom", "WorkerThreads"]),
  module(
    .data, "ParquetFile", needs: ["DurableFiles", "Compression"],
    testNeeds: ["TestTools", "SeededRandom"]),
  // Vectors of pairs, in clip-retrieval's layout.
  module(
    .data, "EmbeddingFiles", needs: ["DurableFiles", "ZipFiles", "ParquetFile"],
    testNeeds: ["TestTools", "SeededRandom"]),
  module(
    .data, "PairDataset", needs: ["DurableFiles", "ContentHashing", "Compression"],
    testNeeds: ["TestTools"]),
  module(
    .data, "CaptionLanguage", needs: ["Compression", "ContentHashing"], c: ["CCaptionLanguage"]),
  module(.data, "SceneWorld", needs: ["ImageCodec", "SeededRandom"]),

  module(.ledger, "JobLedger", c: ["CStatfs"], products: [grdb], testNeeds: ["SeededRandom"]),
  module(.ledger, "OriginLedger", needs: ["JobLedger"], products: [grdb]),
  // Training runs: attempts and checkpoints.
  module(
    .ledger, "TrainingLedger", needs: ["JobLedger"], products: [grdb], testNeeds: ["TestTools"]),
  module(.ledger, "TableQuery", products: [grdb]),

  module(.pipeline, "CrawlPolicy", needs: ["DurableFiles"], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "HTTPFetch",
    needs: ["OriginLedger", "CrawlPolicy", "SeededRandom", "DurableFiles", "ContentHashing"],
    c: ["CCurl"], testNeeds: ["FaultServer"]),
  module(
    .pipeline, "PipelineCore",
    needs: [
      "CrawlPolicy", "JobLedger", "PairDataset", "ParquetFile", "DurableFiles", "ContentHashing",
      "WorkerThreads",
    ],
    products: [yams], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "IngestStage", in: "Stages/Ingest",
    needs: [
      "PipelineCore", "PairDataset", "ParquetFile", "Compression", "DurableFiles",
      "ContentHashing", "WorkerThreads",
    ], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "DownloadStage", in: "Stages/Download",
    needs: [
      "PipelineCore", "HTTPFetch", "CrawlPolicy", "ImageCodec", "PairDataset", "ContentHashing",
      "DurableFiles", "WorkerThreads",
    ], testNeeds: ["FaultServer"]),
  module(
    .pipeline, "DecodeStage", in: "Stages/Decode",
    needs: [
      "PipelineCore", "ImageCodec", "PerceptualHash", "DurableFiles", "ContentHashing",
      "WorkerThreads",
      "WorkerProcesses",
    ], testNeeds: ["FaultyDecoder", "SeededRandom"]),
  module(
    .pipeline, "Deduplication",
    needs: [
      "DecodeStage", "PipelineCore", "PictureIndex", "CaptionMatching", "PerceptualHash",
      "HammingSearch", "ImageCodec", "PairDataset", "DurableFiles", "ContentHashing",
      "WorkerThreads", "WorkerProcesses",
    ], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "DeduplicateStage", in: "Stages/Deduplicate",
    needs: [
      "DecodeStage", "Deduplication", "PipelineCore", "PictureIndex", "CaptionMatching",
      "SegmentFile", "PerceptualHash", "DurableFiles", "ContentHashing", "WorkerThreads",
    ], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "ShardStage", in: "Stages/Shard",
    needs: ["PipelineCore", "PairDataset", "DurableFiles", "WorkerThreads"]),
  // Decisions by scores of bytes that are those of scores in Float.
  module(
    .pipeline, "AuditedScores", needs: ["ContentHashing", "WorkerThreads"],
    testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "ScoreStage", in: "Stages/Score",
    needs: ["PipelineCore", "PairDataset", "DurableFiles", "WorkerThreads"]),
  module(
    .pipeline, "FilterPlans",
    needs: ["PipelineCore", "CaptionLanguage", "DurableFiles", "ContentHashing", "WorkerThreads"],
    c: ["CFilterPresets"], products: [yams], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "FilterStage", in: "Stages/Filter",
    needs: [
      "FilterPlans", "AuditedScores", "PipelineCore", "PairDataset", "ParquetFile",
      "DurableFiles", "WorkerThreads",
    ], testNeeds: ["SeededRandom"]),
  module(
    .pipeline, "URLPipeline",
    needs: [
      "IngestStage", "DownloadStage", "DecodeStage", "Deduplication", "DeduplicateStage",
      "ShardStage", "ScoreStage", "FilterStage", "FilterPlans", "PipelineCore", "JobLedger",
      "HTTPFetch", "CrawlPolicy",
      "ImageCodec", "PairDataset", "ParquetFile", "DurableFiles", "ContentHashing",
      "WorkerThreads", "WorkerProcesses", "TableQuery",
    ], testNeeds: ["TestTools", "FaultServer"]),

  module(
    .pipeline, "PairRecords",
    needs: [
      "AuditedScores", "URLPipeline", "IngestStage", "ShardStage", "FilterStage", "PipelineCore",
      "JobLedger",
      "PairDataset",
      "ParquetFile", "Compression", "DurableFiles", "WorkerThreads", "TableQuery",
    ], testNeeds: ["TestTools", "ShardMaintenance", "FaultServer", "ImageCodec"]),
  module(
    .pipeline, "ShardMaintenance",
    needs: [
      "URLPipeline", "ShardStage", "Deduplication", "PipelineCore", "JobLedger", "ImageCodec",
      "PairDataset", "PictureIndex", "ParquetFile",
      "DurableFiles", "ContentHashing", "SeededRandom", "WorkerThreads",
    ], testNeeds: ["TestTools", "FaultServer"]),

  module(
    .pipeline, "ShardDeduplication",
    needs: [
      "ShardMaintenance", "Deduplication", "DecodeStage", "PipelineCore", "PictureIndex",
      "PerceptualHash", "CaptionMatching", "HammingSearch", "PairDataset", "DurableFiles",
      "ContentHashing", "WorkerProcesses",
    ], testNeeds: ["ImageCodec", "SeededRandom"]),

  module(
    .pipeline, "ShardScoring",
    needs: [
      "AuditedScores", "PipelineCore", "PairDataset", "ParquetFile", "DurableFiles",
      "ContentHashing",
      "WorkerThreads",
    ],
    testNeeds: ["ShardMaintenance", "SeededRandom"]),

  module(
    .pipeline, "ShardFiltering",
    needs: [
      "ShardDeduplication", "ShardMaintenance", "ShardScoring", "FilterPlans", "DecodeStage",
      "PipelineCore", "PairDataset", "ParquetFile", "DurableFiles", "ContentHashing",
      "WorkerProcesses",
    ], testNeeds: ["TestTools", "SeededRandom"]),

  module(
    .pipeline, "ShardEmbedding",
    needs: [
      "PipelineCore", "PairDataset", "EmbeddingFiles", "ParquetFile", "DurableFiles",
      "WorkerThreads",
      "ContentHashing",
    ], testNeeds: ["TestTools"]),

  module(
    .pipeline, "SemanticDeduplication",
    needs: [
      "ShardMaintenance", "ShardDeduplication", "DecodeStage", "PipelineCore", "PairDataset",
      "EmbeddingFiles", "DurableFiles", "ContentHashing", "SeededRandom", "WorkerProcesses",
    ], testNeeds: ["TestTools", "Clustering", "TensorEngine"]),

  module(
    .pipeline, "ForeignRuns",
    needs: [
      "URLPipeline", "FilterStage", "ShardStage", "DecodeStage", "IngestStage", "PipelineCore",
      "JobLedger", "ImageCodec", "PairDataset", "ParquetFile", "DurableFiles", "ContentHashing",
      "WorkerThreads",
    ], testNeeds: ["TestTools", "FaultServer", "ShardMaintenance"]),

  module(
    .learning, "TensorEngine", needs: ["WorkerThreads", "SeededRandom"],
    c: ["COpenBLAS", "CMatrixKernels"]),
  module(.learning, "Autograd", needs: ["TensorEngine"], testNeeds: ["SeededRandom"]),
  module(.learning, "NeuralNetworks", needs: ["Autograd", "TensorEngine", "SeededRandom"]),
  module(
    .learning, "Optimizers", needs: ["NeuralNetworks", "Autograd", "TensorEngine"],
    testNeeds: ["SeededRandom"]),
  module(
    .learning, "Collectives", needs: ["WorkerThreads"], testNeeds: ["RankThreads"]),
  module(
    .learning, "Tokenizers", needs: ["Compression"], c: ["CCLIPVocabulary"],
    testNeeds: ["TestTools"]),
  module(
    .learning, "WeightFiles", needs: ["TensorEngine", "ZipFiles", "Compression", "DurableFiles"],
    testNeeds: ["SeededRandom"]),

  module(
    .learning, "Clustering", needs: ["TensorEngine", "SeededRandom", "WorkerThreads"]),

  module(
    .models, "CLIPModel",
    needs: [
      "NeuralNetworks", "Autograd", "TensorEngine", "Tokenizers", "WeightFiles", "SeededRandom",
      "DurableFiles",
    ], testNeeds: ["TestTools"]),

  // Scalars as TensorBoard reads them.
  module(
    .training, "EventFiles", needs: ["DurableFiles", "ContentHashing"], testNeeds: ["TestTools"]),
  module(
    .training, "Checkpointing",
    needs: [
      "Optimizers", "NeuralNetworks", "TensorEngine", "WeightFiles", "DurableFiles",
      "ContentHashing",
    ]),
  module(
    .training, "BatchLoading",
    needs: [
      "PairDataset", "ImageCodec", "TensorEngine", "Tokenizers", "SeededRandom", "WorkerThreads",
      "DurableFiles",
    ], testNeeds: ["TestTools", "ContentHashing"]),
  module(
    .training, "DistributedTraining",
    needs: [
      "Checkpointing", "NeuralNetworks", "Optimizers", "Collectives", "Autograd", "TensorEngine",
      "DurableFiles", "ContentHashing",
    ], testNeeds: ["RankThreads"]),
  module(
    .training, "CLIPTraining",
    needs: [
      "CLIPModel", "DistributedTraining", "BatchLoading", "Checkpointing", "Collectives",
      "NeuralNetworks", "Optimizers", "Autograd", "TensorEngine", "Tokenizers", "SeededRandom",
      "DurableFiles", "WeightFiles", "PairDataset", "ImageCodec", "ContentHashing",
      "WorkerThreads", "SegmentFile",
    ], products: [yams], testNeeds: ["RankThreads", "SceneWorld", "TestTools", "AuditedScores"]),

  module(
    .commands, "pairloom",
    needs: [
      "DurableFiles", "Compression", "ContentHashing", "SeededRandom", "WorkerThreads",
      "WorkerProcesses",
      "ImageCodec", "PairDataset", "SceneWorld", "JobLedger", "TrainingLedger", "TableQuery",
      "CrawlPolicy", "EventFiles",
      "HTTPFetch",
      "PipelineCore",
      "IngestStage", "DownloadStage", "DecodeStage", "DeduplicateStage", "ShardStage",
      "ScoreStage", "AuditedScores", "FilterStage", "URLPipeline", "PairRecords",
      "ShardMaintenance",
      "ShardDeduplication", "Deduplication", "PictureIndex", "PerceptualHash", "ForeignRuns",
      "FilterPlans", "ShardFiltering",
      "ParquetFile", "EmbeddingFiles", "ShardEmbedding", "SemanticDeduplication", "Clustering",
      "ShardScoring",
      "TensorEngine", "Autograd",
      "NeuralNetworks",
      "Optimizers",
      "Collectives", "Tokenizers", "WeightFiles", "CLIPModel", "Checkpointing", "BatchLoading",
      "DistributedTraining", "CLIPTraining",
    ], c: ["CBundledFiles"], products: [argumentParser], testNeeds: ["FaultServer", "TestTools"]),
  module(
    .commands, "pairloom-bench",
    needs: [
      "DurableFiles", "SeededRandom", "WorkerThreads", "HammingSearch", "ImageCodec",
      "PerceptualHash", "PairDataset", "SceneWorld", "CaptionMatching", "JobLedger",
      "CrawlPolicy", "HTTPFetch", "PipelineCore", "TensorEngine", "Autograd", "PictureIndex",
      "Optimizers", "Collectives", "Tokenizers", "CLIPModel", "BatchLoading", "CLIPTraining",
      "DecodeStage", "Deduplication", "Compression", "ParquetFile", "ShardScoring",
      "AuditedScores",
    ], products: [argumentParser]),
]

/// The checks that every target passes.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]
// What has kernels is built for AVX2 and FMA; the program checks the CPU before it calls them.
let vectorised: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-mavx2", "-Xcc", "-mfma"])]
let withKernels: Set = [
  "TensorEngine", "ImageCodec", "HammingSearch", "PerceptualHash", "EmbeddingFiles", "Clustering",
]
// Gathers bits by pext, which every processor with AVX2 and FMA has.
let withBitGathering: Set = ["HammingSearch"]
let bitGathering: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-mbmi2"])]

// The check that keeps the map true: `swift build` fails with this line when an arrow points up.
let place = Dictionary(uniqueKeysWithValues: modules.enumerated().map { ($1.name, ($0, $1.layer)) })
for (index, module) in modules.enumerated() {
  for need in module.needs {
    guard let (otherIndex, otherLayer) = place[need] else {
      fatalError("\(module.name) needs \(need), which is no module")
    }
    let sameLayer = otherLayer == module.layer && otherIndex < index
    guard sameLayer || module.layer.mayUse.contains(otherLayer) else {
      fatalError(
        "\(module.name) (\(module.layer.rawValue)) must not use \(need) (\(otherLayer.rawValue)): "
          + "arrows point to earlier layers only")
    }
  }
}

/// Whether a file or folder stands at `path` of the package.
func exists(_ path: String) -> Bool {
  FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + path)
}

/// Fuzzing (`make fuzz`) builds in a scratch folder of its own; a normal build sees none of this.
let isFuzzing = Context.environment["PAIRLOOM_FUZZ"] != nil
let sanitizers = ["-sanitize=fuzzer,address"]

func sources(of module: Module) -> Target {
  let dependencies =
    (module.needs + module.cLibraries).map { Target.Dependency.target(name: $0) } + module.products
  let path = "Sources/\(module.layer.rawValue)/\(module.folder)"
  let settings =
    strict + (withKernels.contains(module.name) ? vectorised : [])
    + (withBitGathering.contains(module.name) ? bitGathering : [])
    + (isFuzzing ? [.unsafeFlags(sanitizers)] : [])
  return module.layer == .commands
    ? .executableTarget(
      name: module.name, dependencies: dependencies, path: path, swiftSettings: settings)
    : .target(name: module.name, dependencies: dependencies, path: path, swiftSettings: settings)
}

/// The same tree under Tests/; a module without a folder there has no tests of its own.
func tests(of module: Module) -> Target? {
  let path = "Tests/\(module.layer.rawValue)/\(module.folder)"
  guard exists(path) else { return nil }
  return .testTarget(
    name: module.name + "Tests",
    dependencies: ([module.name] + module.needs + module.testNeeds).map { .target(name: $0) }
      + module.products,
    path: path,
    // They are read by path from the sources, so that nothing is bundled.
    exclude: exists(path + "/Fixtures") ? ["Fixtures"] : [],
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
}

/// What tests lean on; no product sees it.
let testKit: [Target] = [
  // Programs beside the tests, whose workers misbehave when they are asked to.
  .executableTarget(
    name: "FaultyWorker", dependencies: ["WorkerProcesses"], path: "Tests/Support/FaultyWorker",
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
  .executableTarget(
    name: "FaultyDecoder", dependencies: ["WorkerProcesses", "DecodeStage", "ImageCodec"],
    path: "Tests/Support/FaultyDecoder",
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
  .target(
    name: "FaultServer", path: "Tests/Support/FaultServer",
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
  // What several modules' tests use: folders, child programs, the peers' Python.
  .target(
    name: "TestTools", path: "Tests/Support/TestTools",
    swiftSettings: [
      .swiftLanguageMode(.v6), .enableUpcomingFeature("InternalImportsByDefault"),
      .treatAllWarnings(as: .error),
    ]),
  .target(
    name: "RankThreads", dependencies: ["Collectives"], path: "Tests/Support/RankThreads",
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
]

/// Coverage-guided fuzzing of what reads foreign bytes: an executable for each folder of Tests/Fuzz.
func fuzzTarget(_ name: String, needs: [String]) -> Target {
  .executableTarget(
    name: "Fuzz" + name, dependencies: (needs + ["FuzzSupport"]).map { .target(name: $0) },
    path: "Tests/Fuzz/" + name,
    swiftSettings: [
      .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
      .unsafeFlags(sanitizers + ["-parse-as-library"]),  // a single file with @main
    ],
    // gold, the default, fails on the sanitizers' debugging information.
    linkerSettings: [.unsafeFlags(sanitizers + ["-use-ld=lld"])])
}
let fuzzing: [Target] =
  isFuzzing
  ? [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    .target(name: "FuzzSupport", dependencies: ["CLibFuzzer"], path: "Tests/Fuzz/Support"),
    fuzzTarget("ParquetFile", needs: ["ParquetFile", "Compression"]),
    fuzzTarget("ImageCodec", needs: ["ImageCodec"]),
    fuzzTarget("CrawlPolicy", needs: ["CrawlPolicy"]),
    fuzzTarget("PairDataset", needs: ["PairDataset", "ContentHashing"]),
    fuzzTarget("Lists", needs: ["IngestStage"]),
    fuzzTarget("WeightFiles", needs: ["WeightFiles", "CLIPModel"]),
    fuzzTarget("EmbeddingFiles", needs: ["EmbeddingFiles"]),
    fuzzTarget("FilterPlans", needs: ["FilterPlans", "PipelineCore"]),
    fuzzTarget("PictureIndex", needs: ["PictureIndex", "PerceptualHash", "SegmentFile"]),
  ] : []

let package = Package(
  name: "Pairloom",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: cLibraries + modules.map(sources) + modules.compactMap(tests) + testKit + fuzzing
)
