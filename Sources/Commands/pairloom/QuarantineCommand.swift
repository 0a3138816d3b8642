import ArgumentParser
import JobLedger
import PipelineCore
import ShardMaintenance

/// `pairloom quarantine DIR list|show|release`: the jobs that a run has given up.
struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine",
    abstract: "Look at the chunks that a run has given up, and hand them back.",
    discussion: """
      A chunk whose stage fails again and again is given up with the stages after it; the run goes on \
      without its rows and ends with 3.

      list names each job that was given up, with the rows it holds and its last error. show tells all \
      attempts at a job or chunk, the files that there are, and what may be done. release hands jobs \
      back: once the cause is mended, the run goes on with them, and its result is that of a run in which \
      nothing was given up. Later chunks that hold a picture of a released one are done again, and so is \
      the choice of final shards; `dataset.json` then lists all. Where bytes that a job reads are gone, \
      its chunk is downloaded again.

        pairloom quarantine DIR list
        pairloom quarantine DIR show decode 12
        pairloom quarantine DIR release decode 12 shard 40 --run
        pairloom quarantine DIR release --all

      --json prints for list and show an array of objects: job, stage, chunk, failures, attempts, \
      given_up_at, error, wants, rows, first_row, last_row (show: history and files too); for release one \
      object: released, reopened, refetched.
      """)

  enum Action: String, ExpressibleByArgument, CaseIterable {
    case list, show, release
  }

  @Argument(help: "The run's folder.")
  var folder: String

  @Argument(help: "list, show or release.")
  var action: Action

  @Argument(help: "Jobs, such as `decode 12`, or chunks, such as 12.")
  var jobs: [String] = []

  @Flag(help: "Release all that was given up.")
  var all = false

  @Flag(name: .customLong("run"), help: "Work off what was released, and all else that is left.")
  var runs = false

  @Option(help: "Chunks that are computed on at a time, with --run.")
  var workers: Int = 1

  @Flag(help: "JSON instead of lines.")
  var json = false

  func validate() throws {
    guard workers > 0 else { throw ValidationError("--workers must be 1 or more.") }
    switch action {
    case .list where !jobs.isEmpty || all || runs:
      throw ValidationError("list takes no jobs and no flags but --json.")
    case .show where jobs.isEmpty || all || runs:
      throw ValidationError("Name the job to show, such as `show decode 12`, or its chunk.")
    case .release where jobs.isEmpty != all:
      throw ValidationError("Name the jobs to release, such as `release decode 12`, or say --all.")
    default: break
    }
    _ = try JobSelection(words: jobs)
  }

  func run() async throws {
    let view = try await QuarantineView(RunFolder(folder))
    switch action {
    case .list: list(view)
    case .show: try await show(view)
    case .release: try await release(view)
    }
  }

  private func list(_ view: QuarantineView) {
    if json {
      let objects = view.jobs.map { QuarantineLines.object($0, rows: view.rows(of: $0.name)) }
      return Terminal.print(JSONValue.array(objects).serialized)
    }
    for line in QuarantineLines.list(view, folder: folder) { Terminal.print(line) }
  }

  private func show(_ view: QuarantineView) async throws {
    let found = try select(view)
    // A chunk's stages fail for one cause, which tells most.
    let named = try JobSelection(words: jobs)
    let causes = found.filter { $0.wants.isEmpty || named.jobs.contains($0.name) }
    var objects: [JSONValue] = []
    for (index, job) in (causes.isEmpty ? found : causes).enumerated() {
      let attempts = try await view.attempts(at: job.name)
      let page = QuarantinePage(
        job: job, attempts: attempts, files: try view.files(of: job.name.chunk),
        rows: view.rows(of: job.name), wanting: view.wanting(job.name), folder: folder)
      if json {
        objects.append(page.object)
      } else {
        if index > 0 { Terminal.print("") }
        for line in page.lines { Terminal.print(line) }
      }
    }
    if json { Terminal.print(JSONValue.array(objects).serialized) }
  }

  private func release(_ view: QuarantineView) async throws {
    let names = all ? nil : try select(view).map(\.name)
    let outcome = try await QuarantineRelease.release(names, in: RunFolder(folder))
    if json {
      func names(_ jobs: [JobName]) -> JSONValue { .array(jobs.map { .string("\($0)") }) }
      Terminal.print(
        JSONValue.object([
          .init("released", names(outcome.released)), .init("reopened", names(outcome.reopened)),
          .init("refetched", .array(outcome.refetched.map { .int($0) })),
        ]).serialized)
    } else {
      for line in QuarantineLines.released(outcome, folder: folder, goesOn: runs) {
        Terminal.print(line)
      }
    }
    guard runs else { return }
    let end = try await ResumedRun.finish(
      folder, workers: workers,
      toResume: "the `pairloom run` command that began it resumes")
    await RunCommand.conclude(end, folder: folder)
    try RunCommand.requireComplete(end)
  }

  /// The given-up jobs that are asked for.
  private func select(_ view: QuarantineView) throws -> [QuarantinedJob] {
    let asked = try JobSelection(words: jobs)
    for job in asked.jobs where !view.jobs.contains(where: { $0.name == job }) {
      throw CommandError(
        "\(job) is not quarantined; `pairloom quarantine \(folder) list` names all.")
    }
    for chunk in asked.chunks where !view.jobs.contains(where: { $0.name.chunk == chunk }) {
      throw CommandError(
        "nothing of chunk \(chunk) is quarantined; `pairloom quarantine \(folder) list` names all.")
    }
    return view.jobs.filter { asked.jobs.contains($0.name) || asked.chunks.contains($0.name.chunk) }
  }
}

/// Jobs and chunks as a person names them: `decode 12`, `"decode 12"`, `12`.
struct JobSelection {
  var jobs: [JobName] = []
  var chunks: [Int] = []

  init(words: [String]) throws {
    var stage: StageName?
    for word in words.flatMap({ $0.split(separator: " ").map(String.init) }) {
      if let number = Int(word), number >= 0 {
        if let named = stage {
          jobs.append(JobName(stage: named.rawValue, chunk: number))
        } else {
          chunks.append(number)
        }
        stage = nil
      } else if stage == nil, let named = StageName(rawValue: word) {
        stage = named
      } else {
        throw ValidationError(
          "'\(word)' is no job: name a stage and a chunk, such as `decode 12`, or a chunk. Stages: "
            + StageName.allCases.map(\.rawValue).joined(separator: ", ") + ".")
      }
    }
    if let stage { throw ValidationError("Name the chunk of \(stage.rawValue) as well.") }
  }
}
