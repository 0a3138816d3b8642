import BatchLoading
import CLIPTraining
import DistributedTraining
import DurableFiles
import Foundation
import Synchronization
import TrainingLedger

/// Watches one attempt at a training run, on rank 0: ledger, TensorBoard, report, and what a person sees.
///
/// What needs no step is done on a thread of its own, once a second. What goes wrong with the watching is told, and
/// does not end the training; but an attempt that another process took over is asked to stop.
final class TrainingWatch: Sendable {
  private struct State {
    var history = TrainingHistory()
    var events: TrainingEvents?
    var fromStep = 0
    var firstStep: Date?
    var checkpoint: (step: Int, at: Date)?
    var told: Set<String> = []
    var drawnAt = Date.distantPast
    var isOver = false
  }

  private let folder: String
  private let manifest: TrainingManifest
  private let ledger: TrainingLedger
  private let attempt: Int
  private let isQuiet: Bool
  private let stop: StopFlag
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// Seconds between two of a kind.
  private static let (heartbeat, report) = (5.0, 60.0)

  /// Begins the attempt.
  ///
  /// - Throws: `TrainingLedgerError` while another process works in the folder, and what the data set lacks.
  init(
    _ manifest: TrainingManifest, folder: String, stop: StopFlag, isQuiet: Bool
  ) throws {
    self.folder = folder
    self.manifest = manifest
    self.stop = stop
    self.isQuiet = isQuiet
    let facts = try TrainingFacts.of(manifest)
    try DurableFile.makeFolder(folder)
    guard let ledger = try TrainingLedger.open(folder: folder, making: true) else {
      preconditionFailure("a ledger that was to be made is not there")
    }
    self.ledger = ledger
    attempt = try ledger.begin(
      facts: facts, lastStep: try TrainingLine.lines(in: folder).last?.step,
      now: CheckpointSurvey.now())
    let survey = try CheckpointSurvey(folder: folder, ledger: ledger, attempt: attempt)
    Thread.detachNewThread { [self] in work(survey) }
    for dataset in Set(manifest.sources.compactMap { Self.folder(of: $0.path) }).sorted() {
      do { try TrainedRuns.enter(folder, in: dataset) } catch {
        // A data set that others own is trained on all the same.
        if !isQuiet {
          Terminal.note(
            "the data set does not know of this run: \(error); give `explain` --train \(folder)")
        }
      }
    }
  }

  /// The folder of a source that is a data set; nil of tars.
  private static func folder(of path: String) -> String? {
    if path.hasSuffix(".json") {
      return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }
    return DurableFile.exists(path + "/dataset.json") ? path : nil
  }

  /// Takes note of what the run will be, and says so.
  func begin(_ outline: TrainingOutline) {
    attempting { try ledger.add(facts: try TrainingFacts.of(outline), to: attempt) }
    note(TrainLines.outline(outline).joined(separator: "\n"))
  }

  /// Takes note that the checkpoint is read.
  func resumed(_ step: Int, _ warnings: [String]) {
    for warning in warnings { note("warning: \(warning)") }
    if step > 0 { note("resuming from step \(step)") }
    attempting { try ledger.touch(attempt, from: step, to: step, now: CheckpointSurvey.now()) }
    attempting {
      let events = try TrainingEvents(
        folder: folder, after: step, time: Date().timeIntervalSince1970)
      let lines = try TrainingLine.lines(in: folder)
      state.withLock { state in
        state.events = events
        state.fromStep = step
        state.firstStep = Date()
        for line in lines where line.step <= step { state.history.add(line) }
        state.history.advance(to: step)
      }
    }
  }

  /// Takes a line of the log.
  func take(_ metrics: StepMetrics) {
    let line = TrainingLine(metrics)
    let events = state.withLock { state in
      state.history.add(line)
      return state.events
    }
    attempting { try events?.add(line, time: Date().timeIntervalSince1970) }
    guard !isQuiet else { return }
    if Terminal.isInteractive {
      // A small model does many steps a second: a person sees five pictures.
      let isDue = state.withLock { state in
        defer { if -state.drawnAt.timeIntervalSinceNow > 0.2 { state.drawnAt = Date() } }
        return -state.drawnAt.timeIntervalSinceNow > 0.2
      }
      if isDue { draw() }
    } else {
      Terminal.note(TrainingPanel.line(line, of: manifest.steps))
    }
  }

  /// Tells a person something, but not twice.
  func note(_ words: String) {
    guard !isQuiet, state.withLock({ $0.told.insert(words).inserted }) else { return }
    Terminal.note(words)
  }

  /// Ends the attempt, with a last look at the checkpoints and the last report.
  func end(_ outcome: TrainingAttempt.Outcome, error: String? = nil, step: Int?) {
    state.withLock { $0.isOver = true }
    ended.wait()
    attempting {
      // Of an attempt that failed, as far as its log goes.
      let last = state.withLock { $0.history.line == nil ? nil : $0.history.lastStep }
      try ledger.end(
        attempt, outcome, error: error, to: step ?? last, now: CheckpointSurvey.now())
    }
    writeReport()
    if Terminal.isInteractive, !isQuiet {
      draw()
      Terminal.keepPanel()
    }
  }

  private func work(_ survey: CheckpointSurvey) {
    var survey = survey
    var (lastBeat, lastReport) = (Date(), Date.distantPast)
    var mustReport = false
    while !state.withLock({ $0.isOver }) {
      // Short, so that the end of a run does not wait.
      for _ in 0..<10 where !state.withLock({ $0.isOver }) { Thread.sleep(forTimeInterval: 0.1) }
      look(&survey, &mustReport)
      if -lastBeat.timeIntervalSinceNow > Self.heartbeat {
        lastBeat = Date()
        beat()
      }
      if mustReport, -lastReport.timeIntervalSinceNow > Self.report {
        (mustReport, lastReport) = (false, Date())
        writeReport()
      }
      let isDrawn = state.withLock { !$0.isOver && $0.history.line != nil }
      if isDrawn, Terminal.isInteractive, !isQuiet { draw() }
    }
    look(&survey, &mustReport)
    ended.signal()
  }

  private func look(_ survey: inout CheckpointSurvey, _ isNew: inout Bool) {
    do {
      if try survey.look() { isNew = true }
    } catch {
      note("warning: \(error)")
    }
    let newest = survey.newest
    state.withLock { $0.checkpoint = newest ?? $0.checkpoint }
  }

  private func beat() {
    do {
      // Before its checkpoint is read, nobody knows where it stands.
      let step = state.withLock { $0.firstStep == nil ? nil : $0.history.lastStep }
      try ledger.touch(attempt, to: step, now: CheckpointSurvey.now())
    } catch {
      note("\(error)")
      // Another process works in the folder: two must not.
      if error.problem.contains("taken for dead") { stop.raise() }
    }
  }

  private func writeReport() {
    attempting {
      var (history, isKnown) = state.withLock { ($0.history, $0.firstStep != nil) }
      // An attempt that is refused must not empty the page of those before.
      if !isKnown { for line in try TrainingLine.lines(in: folder) { history.add(line) } }
      try TrainingReport(
        folder: folder, history: history, attempts: try ledger.attempts(),
        checkpoints: try ledger.checkpoints()
      ).write(to: folder + "/report.html")
    }
  }

  private func draw() {
    let panel = state.withLock { state in
      TrainingPanel(
        history: state.history, steps: manifest.steps, ranks: manifest.ranks,
        fromStep: state.fromStep, elapsed: state.firstStep.map { -$0.timeIntervalSinceNow } ?? 0,
        checkpoint: state.checkpoint.map { ($0.step, -$0.at.timeIntervalSinceNow) })
    }
    Terminal.panel(panel.lines)
  }

  /// Does what training does not depend on.
  private func attempting(_ body: () throws -> Void) {
    do { try body() } catch { note("warning: \(error)") }
  }
}
