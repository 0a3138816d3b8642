import CLibFuzzer
import Foundation

/// A fuzz target: a program that hands libFuzzer's inputs to one reader.
public enum Fuzz {
  // Sendable: set before libFuzzer begins, which calls it from the same thread.
  nonisolated(unsafe) private static var test: ([UInt8]) -> Void = { _ in }

  /// Fuzzes until libFuzzer's arguments of the command line say that it is enough.
  ///
  /// Where PAIRLOOM_FUZZ_SEEDS names a folder, writes the seeds there instead and ends.
  ///
  /// - Parameters:
  ///   - seeds: Inputs to begin with, beside the tests' fixtures.
  ///   - test: Given each input; it traps where a promise is broken.
  public static func run(seeds: () throws -> [[UInt8]], _ test: @escaping ([UInt8]) -> Void) {
    if let folder = ProcessInfo.processInfo.environment["PAIRLOOM_FUZZ_SEEDS"] {
      do {
        for (number, seed) in try seeds().enumerated() {
          try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(number)"))
        }
      } catch {
        fatalError("seeds: \(error)")
      }
      return
    }
    self.test = test
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(
      LLVMFuzzerRunDriver(&count, &arguments) { start, count in
        Fuzz.test([UInt8](UnsafeBufferPointer(start: start, count: count)))
        return 0
      })
  }
}
