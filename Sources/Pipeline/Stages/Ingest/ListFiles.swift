import DurableFiles
import PipelineCore

/// A file of the list and how it is read.
struct ListFileName: Equatable {
  var path: String
  var format: ListFormat
}

/// Finds the files of a list.
///
/// A file is taken as it is. A folder gives its files of a known format, sorted by name, folders in it
/// aside; where it holds tars, these alone, for a shard's tables lie beside it. A pattern (`*`, `?`,
/// `[…]`, `{a,b}`) gives its matches, sorted; WebDataset's `{000..123}` stands for each number, whose
/// file must be there. A text that is none of these is cut at its commas.
enum ListFiles {
  /// Files that a range of numbers may stand for.
  private static let mostFiles = 1_000_000

  static func find(_ options: IngestOptions) throws(ListError) -> [ListFileName] {
    var files: [ListFileName] = []
    for input in options.inputs { files += try find(input, options.format) }
    var seen: Set<String> = []
    return files.filter { seen.insert($0.path).inserted }
  }

  private static func find(
    _ input: String, _ format: ListFormat?, isPart: Bool = false
  ) throws(ListError) -> [ListFileName] {
    switch FileKind(path: input) {
    case .folder: return try files(inFolder: input, format)
    case .file, .other: return [try named(input, format)]
    case nil: break
    }
    if let range = NumberRange(in: input) {
      guard range.count <= Self.mostFiles else {
        throw .unreadable(path: input, problem: "it stands for more than \(Self.mostFiles) files")
      }
      var files: [ListFileName] = []
      for name in range.names { files += try find(name, format, isPart: isPart) }
      return files
    }
    if input.contains(where: { "*?[{".contains($0) }) {
      let found = try matches(ofGlob: input).filter {
        if case .file? = FileKind(path: $0) { true } else { false }
      }
      if !found.isEmpty {
        var files: [ListFileName] = []
        for path in found { files.append(try named(path, format)) }
        return files
      }
    }
    let parts = input.split(separator: ",").map { trimmed($0) }
    guard parts.count > 1, !isPart else { throw .notFound(input: input) }
    var files: [ListFileName] = []
    for part in parts { files += try find(part, format, isPart: true) }
    return files
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  private static func named(_ path: String, _ format: ListFormat?) throws(ListError)
    -> ListFileName
  {
    if let format { return ListFileName(path: path, format: format) }
    return ListFileName(path: path, format: try ListFormat(path: path))
  }

  private static func files(
    inFolder folder: String, _ format: ListFormat?
  ) throws(ListError) -> [ListFileName] {
    let names: [String]
    do throws(FileError) { names = try DurableFile.names(in: folder) } catch {
      throw .refused(error)
    }
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    let run = RunFolder(folder)
    guard !DurableFile.exists(run.ledger) else {
      throw .unreadable(
        path: folder,
        problem: "it is a run's folder; name \(run.shards) to weave its pairs anew")
    }
    var files: [ListFileName] = []
    for name in names where !name.hasPrefix(".") {
      guard case .file? = FileKind(path: base + name),
        let format = format ?? ListFormat(ofFileNamed: name)
      else { continue }
      files.append(ListFileName(path: base + name, format: format))
    }
    guard !files.isEmpty else {
      throw .unreadable(
        path: folder, problem: "the folder holds no file of a known format; name its files")
    }
    return files.contains { $0.format == .tar } ? files.filter { $0.format == .tar } : files
  }
}

/// A text with a `{FIRST..LAST}` in it, as the shell and WebDataset write numbered files.
private struct NumberRange {
  private var before: Substring
  private var after: Substring
  private var first: Int
  private var last: Int
  private var width: Int

  /// Nil where there is none.
  init?(in text: String) {
    guard let found = text.firstMatch(of: /\{([0-9]{1,18})\.\.([0-9]{1,18})\}/),
      let first = Int(found.1), let last = Int(found.2), first <= last
    else { return nil }
    before = text[..<found.range.lowerBound]
    after = text[found.range.upperBound...]
    // As in the shell: numbers are filled up with zeros where an end is written so.
    let isPadded = found.1.hasPrefix("0") || found.2.hasPrefix("0")
    (self.first, self.last) = (first, last)
    width = isPadded ? max(found.1.count, found.2.count) : 1
  }

  var count: Int { last - first + 1 }

  var names: some Sequence<String> {
    (first...last).lazy.map { number in
      let digits = String(number)
      return before + String(repeating: "0", count: max(0, width - digits.count)) + digits + after
    }
  }
}
