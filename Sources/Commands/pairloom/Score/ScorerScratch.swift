import DurableFiles
import Glibc

/// Where the bundled scorer is unpacked for a command that keeps no folder; it goes with the process.
final class ScorerScratch {
  let path: String

  init() {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    path = "\(folder)/pairloom-scorer.\(getpid())"
  }

  deinit {
    do {
      for name in try DurableFile.names(in: path) { try DurableFile.remove("\(path)/\(name)") }
      try DurableFile.removeFolder(path)
    } catch {
      Terminal.note("\(path) is left behind: \(error)")
    }
  }
}
