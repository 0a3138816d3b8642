import DecodeStage
import Foundation
import Testing

/// What decoding in processes of their own costs: figures, not promises, so it runs only when asked to.
@Suite(.serialized) struct SandboxCostTests {
  private static let isWanted = ProcessInfo.processInfo.environment["PAIRLOOM_MEASURE"] != nil
  private static let corpus: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<6 { url.deleteLastPathComponent() }
    return url.appendingPathComponent("shared/data/corpus")
  }()

  @Test("processor time for each shared picture, sandboxed and not", .enabled(if: isWanted))
  func cost() async throws {
    var bodies: [[UInt8]] = []
    let names = try FileManager.default.subpathsOfDirectory(atPath: Self.corpus.path).sorted()
    for name in names where bodies.count < 2_000 {
      let kinds = ["jpg", "jpeg", "png", "webp", "gif"]
      guard kinds.contains(URL(fileURLWithPath: name).pathExtension.lowercased()) else { continue }
      bodies.append([UInt8](try Data(contentsOf: Self.corpus.appendingPathComponent(name))))
    }
    let chunk = try FetchedChunk(bodies)
    let options = try decodeOptions()
    var ratios: [Double] = []
    for round in 0..<5 {
      var times: [Double] = []
      for isSandboxed in [false, true] {
        let before = Self.processorSeconds()
        do {
          let stage = DecodeStage(
            options: options, threads: 1, worker: isSandboxed ? FaultyDecoder.command() : nil)
          _ = try await chunk.decode(stage)
        }
        times.append(Self.processorSeconds() - before)
      }
      ratios.append(times[1] / times[0])
      print(
        "round \(round): \(bodies.count) pictures, \(times) CPU seconds, ratio \(ratios[round])")
    }
    print("median ratio \(ratios.sorted()[2])")
    try chunk.remove()
  }

  /// Of this process and the children that it has waited for.
  private static func processorSeconds() -> Double {
    [RUSAGE_SELF.rawValue, RUSAGE_CHILDREN.rawValue].reduce(0) { sum, who in
      var usage = rusage()
      getrusage(__rusage_who_t(who), &usage)
      let (user, system) = (usage.ru_utime, usage.ru_stime)
      print(
        "  \(who == RUSAGE_SELF.rawValue ? "self" : "children"): user \(user.tv_sec).\(user.tv_usec)"
          + " system \(system.tv_sec).\(system.tv_usec), \(usage.ru_minflt) faults,"
          + " \(usage.ru_nvcsw) + \(usage.ru_nivcsw) switches")
      return sum + Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) / 1e6
    }
  }
}
