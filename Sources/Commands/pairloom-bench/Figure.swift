import Foundation
import PipelineCore

/// One line of a benchmark's output.
///
/// Keys come in a fixed order: name, the figure's own values, cpu, threads, n, unit, median, minimum.
struct Figure {
  var name: String
  /// What the benchmark says of itself, in the words of the peers' programs.
  var values: [JSONValue.Member]
  var threads: Int
  var rounds: Rounds

  func print() {
    let machine: [JSONValue.Member] = [
      .init("cpu", .string(Self.cpuModel)), .init("threads", .int(threads)),
      .init("n", .int(rounds.seconds.count)), .init("unit", .string(rounds.clock.unit)),
      .init("median", .rounded(rounds.median)), .init("minimum", .rounded(rounds.minimum)),
    ]
    let line = JSONValue.object([.init("name", .string(name))] + values + machine)
    // Whole lines at once: ranks and child processes may share standard output.
    FileHandle.standardOutput.write(Data((line.serialized + "\n").utf8))
  }

  /// As /proc/cpuinfo names the first core.
  private static let cpuModel: String = {
    let bytes = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("model name") }
    let model = line?.split(separator: ":", maxSplits: 1).last ?? "unknown"
    return model.trimmingCharacters(in: .whitespaces)
  }()
}

extension JSONValue {
  /// A number with six significant digits.
  static func rounded(_ value: Double) -> JSONValue {
    value.isFinite ? .number(String(format: "%.6g", value)) : .null
  }
}
