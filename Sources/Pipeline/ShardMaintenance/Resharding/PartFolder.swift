import DurableFiles
import PipelineCore

/// The folder in which an output grows, `OUT.part`: ours alone, by a marker in it.
///
/// Whatever else has that name is left as it is.
package struct PartFolder {
  /// Says that the folder is of our making, and may be cleared.
  private static let marker = ".pairloom-part"

  package let path: String

  /// Makes the folder, or clears what an interrupted command has left in it.
  ///
  /// - Parameters:
  ///   - out: What it will become; without a slash at its end.
  ///   - inputs: Files that are yet to be read.
  /// - Throws: ``ReshardError``, and nothing is changed, where an input lies in it or where it holds
  ///   what is not ours.
  package init(for out: String, reading inputs: [String]) throws {
    path = out + ".part"
    if let input = RealPath.first(of: inputs, in: path) {
      throw ReshardError.inputInPart(input: input, part: path)
    }
    let names = try DurableFile.names(in: path)
    // A kill while the marker was written has left its temporary file alone.
    guard names.contains(Self.marker) || names.allSatisfy({ $0.hasPrefix(Self.marker) }) else {
      throw ReshardError.foreignPart(path)
    }
    try DurableFile.makeFolder(path)
    // Before all else, and it goes last: a kill in between leaves a folder that is known.
    try DurableFile.write([], to: "\(path)/\(Self.marker)")
    try empty()
  }

  private func empty() throws {
    for name in try DurableFile.names(in: path) where name != Self.marker {
      try DurableFile.remove("\(path)/\(name)")
    }
  }

  /// Removes it with what is in it.
  package func remove() throws {
    try empty()
    try DurableFile.remove("\(path)/\(Self.marker)")
    try DurableFile.removeFolder(path)
  }

  /// Gives the folder its name, in one step.
  package func publish(as out: String) throws {
    try DurableFile.makeFolder(out)
    try DurableFile.move(path, to: out)
    try DurableFile.remove("\(out)/\(Self.marker)")
  }
}
