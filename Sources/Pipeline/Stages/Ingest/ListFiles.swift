import DurableFiles

/// A file of the list and how it is read.
struct ListFileName: Equatable {
  var path: String
  var format: ListFormat
}

/// Finds the files of a list.
///
/// A file is taken as it is. A folder gives its files of a known format, sorted by name, folders in it
/// aside; where it holds tars, these alone, for a shard's tables lie beside it. A pattern (`*`, `?`,
/// `[…]`, `{a,b}`) gives its matches, sorted. A text that is none of these is cut at its commas.
enum ListFiles {
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
    if input.contains(where: { "*?[{".contains($0) }) {
      let found = matches(ofGlob: input).filter {
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
      throw .unreadable(path: folder, problem: error.description)
    }
    let base = folder.hasSuffix("/") ? folder : folder + "/"
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
