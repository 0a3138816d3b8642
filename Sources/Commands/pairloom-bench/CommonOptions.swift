import ArgumentParser
import WorkerThreads

/// How often a benchmark repeats its work.
struct RoundOptions: ParsableArguments {
  @Option(help: "Timed repetitions.")
  var rounds = 3

  func validate() throws { try requirePositive(rounds, "--rounds") }
}

/// What the benchmarks of models share.
struct ModelOptions: ParsableArguments {
  @Option(help: "A configuration of open_clip by its name, or the path of its JSON.")
  var model = "ViT-B-32"

  @Option(help: "Threads of matrix products and loops.")
  var threads = Parallel.coreCount

  func validate() throws { try requirePositive(threads, "--threads") }
}

/// Numbers with commas between them, such as `0.0625,1,16`.
struct NumberList: ExpressibleByArgument {
  var numbers: [Double]

  init(_ numbers: [Double]) { self.numbers = numbers }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    numbers = parts.compactMap { Double($0) }.filter { $0 > 0 && $0.isFinite }
    guard numbers.count == parts.count else { return nil }
  }

  var defaultValueDescription: String {
    numbers.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }.joined(separator: ",")
  }
}

func requirePositive(_ value: Int, _ option: String) throws(ValidationError) {
  guard value > 0 else { throw ValidationError("\(option) is \(value); give 1 or more.") }
}
