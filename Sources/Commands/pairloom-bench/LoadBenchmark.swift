import ArgumentParser
import BatchLoading
import PipelineCore
import Tokenizers
import WorkerThreads

/// `load SOURCE…`: batches of random crops in the order of training, as the trainer takes them.
struct LoadBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Load batches in random order: read, decode, crop, resize, normalise, tokenise.",
    discussion: """
      Nothing decoded is kept, so that each pair is decoded at each visit. Prints pairs, pairs_per_s and \
      pairs_per_cpu_s of a consumer that does nothing but wait.
      """)

  @Argument(help: "A dataset.json, WebDataset tars, patterns or folders, all shuffled together.")
  var sources: [String]

  @Option(help: "Pairs of a round.")
  var pairs = 2048

  @Option(help: "Pairs of a batch.")
  var batch = 64

  @Option(help: "Side of the square pictures.")
  var size = 224

  @Option(help: "Least and most share of a picture that a crop keeps.")
  var scale = NumberList([0.9, 1.0])

  @Option(help: "Threads that read and decode.")
  var threads = Parallel.coreCount

  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    for (value, name) in [(pairs, "pairs"), (batch, "batch"), (size, "size"), (threads, "threads")]
    {
      try requirePositive(value, "--" + name)
    }
    guard scale.numbers.count == 2, scale.numbers[0] <= scale.numbers[1], scale.numbers[1] <= 1
    else { throw ValidationError("--scale is LEAST,MOST within 0 … 1, such as 0.9,1.0.") }
  }

  func run() throws {
    let source = try PairSource(sources.map { DataSource(path: $0) }, threads: threads)
    let tokenizer = try BytePairTokenizer.clip(contextLength: 77)
    let reader = SampleReader(
      source: source,
      options: BatchOptions(
        globalBatch: batch, seed: 1, preprocessing: ImagePreprocessing(size: size),
        cropScale: scale.numbers[0]...scale.numbers[1], cacheBytes: 0, decodeThreads: threads)
    ) { tokenizer.encode($0) }
    let loader = BatchLoader(reader: reader, position: 0, rank: 0, worldSize: 1)
    defer { loader.stop() }
    var (seconds, processor): ([Double], [Double]) = ([], [])
    let batches = max(1, pairs / batch)
    var replaced = 0
    // Two batches wait already when a round begins, and two when it ends.
    for round in 0...repetition.rounds {
      processor.append(
        try Rounds.Clock.processor.seconds {
          seconds.append(
            try Rounds.Clock.wall.seconds {
              for _ in 0..<(round == 0 ? 4 : batches) {
                replaced += try loader.next().replaced.count
              }
            })
        })
    }
    let rounds = Rounds(clock: .wall, seconds: Array(seconds.dropFirst()))
    let cores = Rounds(clock: .processor, seconds: Array(processor.dropFirst()))
    let count = Double(batches * batch)
    Figure(
      name: "load",
      values: [
        .init("pairs", .int(batches * batch)), .init("size", .int(size)),
        .init("pairs_per_s", .rounded(count / rounds.median)),
        .init("pairs_per_cpu_s", .rounded(count / cores.median)),
        .init("replaced", .int(replaced)),
      ], threads: threads, rounds: rounds
    ).print()
  }
}
