import ArgumentParser
import Foundation
import IngestStage
import PipelineCore
import URLPipeline

/// `pairloom doctor`: what would go wrong with a run on this machine, before it begins.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check DNS, egress, TLS, user agent, clock, disk, open files, memory and cores.",
    discussion: """
      Each check ends in ok, warn or fail, says what it measured, and what to do. All run at once and \
      take ten seconds at most. Give it the recipe and the options of the run to come:

        pairloom doctor urls --folder DIR --set input=LIST.csv

      Exit codes: 0 fit, perhaps with warnings; 1 a check failed; 2 wrong usage.
      """)

  @Argument(help: "A recipe: a YAML file, or the name of a bundled one (urls, scenes).")
  var recipe: String = "urls"

  @Option(help: "The folder of the run to come.")
  var folder: String = "."

  @Option(name: .customLong("set"), help: "An option of the recipe, as key=value; repeatable.")
  var settings: [String] = []

  @Option(help: "Chunks that the run will work on at a time.")
  var workers: Int = 1

  @Option(help: "A page to ask for instead of the usual ones; repeatable.")
  var origin: [String] = []

  @Flag(help: "One JSON object instead of the table.")
  var json = false

  func validate() throws {
    guard workers > 0 else { throw ValidationError("--workers must be 1 or more.") }
    for url in origin where NormalizedURL.normalize(url) == nil {
      throw ValidationError("--origin \(url): not an http or https URL.")
    }
  }

  func run() async throws {
    let plan = try plan()
    let doctor = Doctor(
      recipe: plan.recipe, list: plan.list, folder: folder, workers: workers,
      pages: origin.isEmpty ? Doctor.usualPages : origin)
    let diagnosis = await doctor.examine()
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      Terminal.print(String(decoding: try encoder.encode(diagnosis), as: UTF8.self))
    } else {
      for finding in diagnosis.findings {
        for line in finding.lines { Terminal.print(line) }
      }
    }
    if diagnosis.verdict == .fail { throw ExitCode(1) }
  }

  /// The recipe, and the list where one is named: without it there is no estimate, and no harm.
  private func plan() throws -> (recipe: PipelineRecipe, list: String?) {
    let text = try BundledFiles.text(recipe, folder: "Pipelines")
    do {
      let recipe = try PipelineRecipe(yaml: text, path: recipe, overrides: settings)
      return (recipe, recipe.ingest.input)
    } catch RecipeError.missing(let key, _) where key == "input" {
      let recipe = try PipelineRecipe(
        yaml: text, path: recipe, overrides: settings + ["input=none"])
      return (recipe, nil)
    }
  }
}
