public import PipelineCore

/// The machine or the set-up cannot decode, whatever the list holds: the run stops, and nothing is marked.
public enum DecodeSetupError: RunFault, Sendable, Equatable, CustomStringConvertible {
  /// No decoding process starts.
  case cannotStart(problem: String)
  /// A decoding process cannot decode a picture that is certainly whole.
  case selfTest(problem: String)
  /// Most pictures of a chunk end their decoder by a signal or an exit.
  case crashes(chunk: Int, count: Int, of: Int, what: String, sha256: String)

  /// The list does not have the column of boxes to blur.
  case noColumn(String, found: [String])

  public var description: String {
    switch self {
    case .noColumn(let name, let found):
      "the list has no column \(name), whose boxes are to be blurred; it has "
        + (found.isEmpty ? "none beside URL and caption" : found.joined(separator: ", "))
        + ". Nothing was decoded. Name it with --set bbox_column=NAME, or mend the list; both need a"
        + " new folder."
    case .cannotStart(let problem):
      "\(problem). Nothing was marked as done. Look at `ulimit -u`, `ulimit -n` and `ulimit -v`, and"
        + " whether the libraries are those that the program was built with (`ldd`); then run the same"
        + " command again."
    case .selfTest(let problem):
      "decoding does not work here: \(problem). Nothing was marked as done. Look at the recipe's"
        + " decode_memory and decode_cpu_seconds (other values need a new folder), at the machine's free memory, and whether the image"
        + " libraries are those that the program was built with (`ldd`); then run the same command again."
    case .crashes(let chunk, let count, let total, let what, let sha256):
      "\(count) of \(total) pictures of chunk \(chunk) crash the decoder (\(what) at the body with"
        + " SHA-256 \(sha256), for one). Nothing of it was marked as done. Bring the image libraries up"
        + " to date, or look whether the list was made to do this; with --set stop_on_crashes=false the"
        + " same command goes on and drops them."
    }
  }
}
