import ArgumentParser
import CLIPTraining
import CrawlPolicy
import DurableFiles
import Glibc
import HTTPFetch
import IngestStage
import JobLedger
import PipelineCore
import TensorEngine
import URLPipeline

/// The program: one file per command, and the only place where pipeline and learning meet.
@main
struct Pairloom: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairloom",
    abstract: "Weaves image–caption pairs into training sets, and training sets into CLIP models.",
    version: ProgramVersion.current,
    subcommands: [
      RunCommand.self, StatusCommand.self, RetryCommand.self, VerifyCommand.self,
      ExplainCommand.self, ExportCommand.self, ImportCommand.self,
      ForgetCommand.self, LsCommand.self, CatCommand.self, ReshardCommand.self, DedupCommand.self,
      DoctorCommand.self,
      QuarantineCommand.self, GcCommand.self,
      ScoreCommand.self, FilterCommand.self, EmbedCommand.self, SearchCommand.self,
      ModelCommand.self, TrainCommand.self, EvaluateCommand.self, DemoCommand.self,
      DemoOriginCommand.self,
      SceneScorerCommand.self, DecodeWorkerCommand.self, SquareWorkerCommand.self,
    ])

  static func main() async {
    CPUFeatures.requireOrExit()
    // A closed pipe (`pairloom run … | head`) ends the text, not the work.
    signal(SIGPIPE, SIG_IGN)
    do {
      try requireKnownCommand(CommandLine.arguments.dropFirst().first)
      var command = try parseAsRoot(
        EmbedCommand.withSubcommand(
          DedupCommand.withSubcommand(Array(CommandLine.arguments.dropFirst()))))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as CommandError {
      Terminal.fail(error.description, code: 2)
    } catch let error as CommandFailure {
      Terminal.fail(error.description, code: error.code)
    } catch LedgerError.configurationChanged(let path, let differences) {
      let error = LedgerError.configurationChanged(path: path, differences: differences)
      Terminal.fail("\(error)", code: 2)
    } catch ListError.refused(let error)
      where ![ENOENT, EACCES, EPERM].contains(error.errorNumber)
    {
      // A shortage or a broken disk: the command is right.
      Terminal.fail("\(error)", code: 1)
    } catch let error as any UsageError {
      Terminal.fail("\(error)", code: 2)
    } catch {
      // ArgumentParser's own: wrong usage with the text that says what is right, help and version.
      if exitCode(for: error) == .validationFailure {
        let text = fullMessage(for: error)
        Terminal.fail(text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text, code: 2)
      }
      if isParserError(error) { exit(withError: error) }
      Terminal.fail("\(error)", code: 1)
    }
  }

  /// Refuses a first word that is no command, naming the one that was meant.
  private static func requireKnownCommand(_ word: String?) throws {
    func names(_ commands: [any ParsableCommand.Type]) -> [String] {
      commands.flatMap { command in
        guard let name = command.configuration.commandName else {
          preconditionFailure("\(command) needs a commandName: its spelling is no accident")
        }
        return [name] + command.configuration.aliases
      }
    }
    let all = configuration.subcommands
    guard let word, !word.hasPrefix("-"), word != "help", !names(all).contains(word) else { return }
    // No key path: the compiler crashes on one through a metatype.
    let shown = names(all.filter { $0.configuration.shouldDisplay })
    let meant = NearestWord.nearest(to: word, among: shown + ["help"])
    throw CommandError(
      "unknown command '\(word)'" + (meant.map { "; did you mean '\($0)'?" } ?? ".")
        + " `pairloom --help` lists the commands.")
  }

  private static func isParserError(_ error: any Error) -> Bool {
    error is CleanExit || error is ValidationError || error is ExitCode
      || exitCode(for: error) != .failure
  }
}

/// An error in what the user asked for, found by another module.
protocol UsageError: Error {}
extension RecipeError: UsageError {}
extension ListError: UsageError {}
extension ManifestError: UsageError {}
extension NoRunError: UsageError {}
extension FetchOptionsError: UsageError {}
extension AddressRangeError: UsageError {}

/// A run that ended badly: what to say, and the exit code.
struct CommandFailure: Error, CustomStringConvertible {
  var description: String
  /// 1 the run failed; 3 finished but something is quarantined; 130 or 143 interrupted and resumable.
  var code: Int32
}
