internal import CFilterPresets
import DurableFiles
import PipelineCore

/// The plans that travel inside the program.
public enum FilterPresets {
  /// Their names, sorted.
  public static var names: [String] {
    (0..<pairloom_filter_preset_count()).map { index in
      unsafe String(cString: pairloom_filter_preset_at(index).name)
    }.sorted()
  }

  /// A plan's text; nil where none has the name.
  public static func text(_ name: String) -> String? {
    for index in 0..<pairloom_filter_preset_count() {
      let preset = unsafe pairloom_filter_preset_at(index)
      guard unsafe String(cString: preset.name) == name else { continue }
      // Safe: the bytes are a constant of the program.
      return unsafe String(
        decoding: UnsafeBufferPointer(start: preset.bytes, count: preset.count), as: UTF8.self)
    }
    return nil
  }

  /// The plan of a file, or of a bundled one by its name.
  ///
  /// - Throws: ``FilterPlanError``; `FileError`.
  public static func plan(_ path: String) throws -> FilterPlan {
    if !DurableFile.exists(path) || DurableFile.isFolder(path) {
      if let text = text(path) { return try FilterPlan(yaml: text, path: path) }
      let nearest = NearestWord.nearest(to: path, among: names).map { " Did you mean `\($0)`?" }
      throw FilterPlanError(
        path: path, line: 0,
        "there is no such file, and no bundled plan of that name."
          + (nearest ?? " Bundled are: \(names.joined(separator: ", ")).")
      )
    }
    return try FilterPlan(path: path)
  }
}
