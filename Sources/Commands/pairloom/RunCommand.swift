import ArgumentParser
import DownloadStage
import DurableFiles
import HTTPFetch
import IngestStage
import PipelineCore
import URLPipeline

/// `pairloom run PIPELINE.yaml`: every stage, from a list of URLs to a dataset; run again to resume.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a pipeline: ingest, download, decode, deduplicate, shard, score and filter.",
    discussion: """
      Run the same command again to resume: what is done is not done twice, and the shards have the
      same bytes as those of a run that was never interrupted.

        pairloom run urls --folder DIR --set input=LIST.csv
        pairloom run urls --folder DIR --set input=LIST.csv --model WEIGHTS --model-config ViT-B-32 \\
          --set filter.min_score=0.25

      With other options than before a run is refused, and told what differs. --redo STAGE takes the \
      new options and does STAGE and what comes after it again; what is before it stays as it is:

        --redo filter       scores and shards stay
        --redo score        shards stay
        --redo shard        with the pictures of the run's own shards
        --redo deduplicate  with the decoded pictures, which --set keep=[decoded] keeps
        --redo decode       with the downloaded bytes, which --set keep=[fetched] keeps
        --redo download     asks the web once more

      The result has the bytes of a new run with the new options. Interrupted, it goes on with the
      same command, or with the same one without --redo.
      """)

  @Argument(help: "A recipe: a YAML file, or the name of a bundled one (urls, scenes).")
  var recipe: String

  @Option(help: "The run's folder; it is made when it is not there.")
  var folder: String

  @Option(name: .customLong("set"), help: "An option of the recipe, as key=value; repeatable.")
  var settings: [String] = []

  @Option(help: "Chunks that are downloaded, and chunks that are computed on, at a time.")
  var workers: Int = 1

  @Option(help: "Take only the first rows of the list.")
  var limit: Int?

  @Option(
    help: """
      A CLIP to score with: weights of open_clip, OpenAI or Hugging Face, a folder of training, or scenes.
      """)
  var model: String?

  @Option(help: "The configuration of the weights: an open_clip name or JSON file.")
  var modelConfig: String?

  @Option(
    help: ArgumentHelp(
      "Do a stage and all after it again, with the options given now.", valueName: "stage"),
    transform: stage)
  var redo: StageName?

  @Flag(help: "Score with the bundled scene scorer although the list is not of scenes.")
  var forceScorer = false

  private static func stage(_ word: String) throws -> StageName {
    guard let stage = StageName(rawValue: word) else {
      throw ValidationError(
        "'\(word)' is no stage; there are "
          + StageName.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    return stage
  }

  func validate() throws {
    guard workers > 0 else { throw ValidationError("--workers must be 1 or more.") }
    guard limit ?? 1 > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func run() async throws {
    let plan = try plan()
    if let warning = UserAgentCheck.warning(userAgent: plan.recipe.download.fetch.userAgent) {
      Terminal.note("warning: \(warning.problem). Say \(warning.remedy)")
    }
    let run = try PipelineRun(
      recipe: plan.recipe, folder: folder, workers: workers, limit: limit, scorer: plan.scorer,
      decoder: DecodeWorkerCommand.worker)
    for words in try run.leftOutRules() { Terminal.note("warning: \(words)") }
    let outcome = try await Interruption.shared.working(on: run, toResume: Self.toResume) {
      if let redo { Terminal.note(Self.words(try await run.redo(redo))) }
      return try await run.run(reportingEvery: Self.interval) { Self.report($0) }
    }
    await Self.conclude(outcome, folder: folder)
    RecipeScorer.conclude(plan.scorer)
    try Self.requireComplete(outcome)
  }

  /// What to do after an interruption.
  static let toResume = "run the same command again to resume"

  /// A recipe with all its settings, and the scorer that it asks for.
  struct Plan {
    var recipe: PipelineRecipe
    var scorer: (any PairScorer)?
  }

  private func plan() throws -> Plan {
    var overrides = settings
    if let model { overrides.append("model=\(model)") }
    if let modelConfig { overrides.append("model_config=\(modelConfig)") }
    do {
      return try Self.plan(
        recipe: recipe, folder: folder, overrides: overrides, forcesScorer: forceScorer)
    } catch let error as RecipeError {
      throw CommandError(error.description)
    }
  }

  /// Reads a recipe and opens its scorer; refuses the bundled scorer on foreign captions.
  static func plan(
    recipe path: String, folder: String, overrides: [String], forcesScorer: Bool
  ) throws -> Plan {
    let text = try BundledFiles.text(path, folder: "Pipelines")
    let recipe = try PipelineRecipe(yaml: text, path: path, overrides: overrides)
    let scorer = try RecipeScorer.open(recipe, folder: folder)
    if !forcesScorer, let clip = RecipeScorer.clip(scorer) {
      try clip.requireItsDomain(ListSample.captions(of: recipe.ingest, count: 1_000))
    }
    return Plan(recipe: recipe, scorer: scorer)
  }

  /// What is done again and why, for a person.
  static func words(_ outcome: RedoOutcome) -> String {
    guard let jobs = outcome.jobs else {
      return "--redo \(outcome.stage.rawValue) was begun before; it goes on"
    }
    let names = outcome.stages.map(\.rawValue).joined(separator: ", ")
    let changes = ChangedOptionsError.lines(outcome.differences)
    return (["to be done again: \(names) (\(jobs) \(jobs == 1 ? "job" : "jobs"))"] + changes)
      .joined(separator: "\n")
  }

  /// Fails with 3 where jobs were given up.
  static func requireComplete(_ outcome: RunOutcome) throws {
    guard outcome.isComplete else {
      let folder = String(outcome.dataset.dropLast("/dataset.json".count))
      let count = outcome.status.quarantined.count
      throw CommandFailure(
        description: "finished, but \(count) job\(count == 1 ? " is" : "s are") quarantined: "
          + "`pairloom quarantine \(folder) list` says which and why, and how to take them up again.",
        code: 3)
    }
  }

  /// Leaves the last state of a run on the screen, writes its page, says what to do about it and names its dataset.
  static func conclude(_ outcome: RunOutcome, folder: String) async {
    if Terminal.isInteractive {
      Terminal.keepPanel()
    } else {
      let panel = StatusPanel(status: outcome.status, folder: folder)
      for line in panel.lines { Terminal.note(line) }
    }
    await RunPage.publish(outcome.status, folder: folder)
    for note in outcome.notes { Terminal.note(note) }
    for warning in outcome.warnings { Terminal.note("warning: \(warning)") }
    let advice = RunAdvice(status: outcome.status, folder: RunFolder(folder))
    for line in advice.lines { Terminal.note(line) }
    if DurableFile.exists(outcome.dataset) { Terminal.print(outcome.dataset) }
  }

  /// A live panel changes twice a second; a log gets a line every five.
  static var interval: Duration { Terminal.isInteractive ? .milliseconds(500) : .seconds(5) }

  static func report(_ status: RunStatus) {
    let panel = StatusPanel(status: status)
    if Terminal.isInteractive {
      Terminal.panel(panel.lines(within: Terminal.size))
    } else if !status.isFinished, status.pairs("rows") > 0 || status.elapsedSeconds > 1 {
      // What has just begun has nothing to tell.
      Terminal.note(panel.line)
    }
  }
}

extension ChangedOptionsError: UsageError {}
extension RedoError: UsageError {}
