import ImageCodec
import PipelineCore
import WorkerProcesses

/// Counts the failures of a chunk's pictures, to tell a bad list from a broken set-up.
///
/// Bodies count once by their SHA-256, so that one bad picture under many addresses is one failure. Nothing
/// here decides what is kept; the stage asks ``isSuspicious`` and ``crashes(chunk:)`` at a chunk's end.
struct FailureTally {
  /// Failures below this number say nothing.
  static let least = 20

  private struct Count {
    var all = 0
    var failed = 0
    /// At least ``least``, and more than half of all.
    var isMost: Bool { failed >= FailureTally.least && failed * 2 > all }
  }

  private var seen: Set<String> = []
  private var crashed = Count()
  /// Of those, the ones that no limit ended: a signal or an exit, as no healthy decoder has.
  private var broken = Count()
  private var firstBroken: (what: String, sha256: String)?
  private var damaged: [ImageFormat: Count] = [:]

  mutating func add(_ result: PictureResult, sha256: String) {
    guard seen.insert(sha256).inserted else { return }
    crashed.all += 1
    broken.all += 1
    switch result {
    case .failed(let failure):
      crashed.failed += 1
      switch failure {
      case .memory, .cpuTime, .wallTime: break
      case .signal, .exited, .garbage:
        broken.failed += 1
        if firstBroken == nil { firstBroken = ("\(failure)", sha256) }
      }
    case .made(let picture):
      guard let format = picture.source, format.isDecodable else { return }
      damaged[format, default: Count()].all += 1
      switch picture.drop?.reason {
      case .corrupt, .truncated, .cannotEncode: damaged[format, default: Count()].failed += 1
      default: break
      }
    case .cut: break
    }
  }

  /// Whether so much has failed that decoding itself should be tried.
  ///
  /// That is when at least 20 distinct bodies of the chunk, and more than half, have ended in
  /// `decoder_crashed`, or as many of those of one format as damaged.
  var isSuspicious: Bool { crashed.isMost || damaged.values.contains { $0.isMost } }

  /// The error of a chunk in which most bodies end a decoder that is otherwise well.
  ///
  /// Limits do not count here, since a list of giant pictures may well exceed them. Signals do: healthy
  /// decoders meet hardly one in millions of bodies, so it takes an attack or a broken library.
  func crashes(chunk: Int) -> DecodeSetupError? {
    guard broken.isMost, let first = firstBroken else { return nil }
    return .crashes(
      chunk: chunk, count: broken.failed, of: broken.all, what: first.what, sha256: first.sha256)
  }
}
