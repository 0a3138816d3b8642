import ContentHashing
import DurableFiles
import PairDataset
import PipelineCore

/// Where the pictures of an evaluation set lie.
enum EvaluationSource {
  case folder(String, files: [String])
  case tar(String)
  case index(String)
  case list(String)

  enum Item {
    case picture(name: String, body: [UInt8])
    /// A SHA-256 of bytes.
    case digest(String)
    /// A pHash, 16 hexadecimal digits.
    case hash(String)
  }

  private static let pictures: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic",
    "ppm",
  ]
  /// No picture is larger; a file that is one is no picture.
  private static let mostBytes = 256 << 20
  private static let mostDepth = 64

  /// - Throws: `RecipeError` where nothing, or nothing of use, is there.
  init(_ path: String) throws {
    guard DurableFile.exists(path) else {
      throw EvaluationSet.refusal(path, "there: no file or folder has this path")
    }
    if DurableFile.isFolder(path) {
      let files = try Self.files(in: path)
      guard !files.isEmpty else {
        throw EvaluationSet.refusal(path, "a folder with pictures or tars in it")
      }
      self = .folder(path, files: files)
    } else if Self.isTar(path) {
      self = .tar(path)
    } else if path.hasSuffix(".index") {
      self = .index(path)
    } else {
      self = .list(path)
    }
  }

  private static func isTar(_ path: String) -> Bool {
    path.hasSuffix(".tar") || path.hasSuffix(".tar.lz4")
  }

  /// The pictures and tars below a folder, by their paths in it, in order.
  private static func files(in folder: String, _ prefix: String = "", depth: Int = 0) throws
    -> [String]
  {
    // A link to a folder above leads around in a circle.
    if depth > mostDepth { return [] }
    return try DurableFile.names(in: prefix.isEmpty ? folder : "\(folder)/\(prefix)").sorted()
      .flatMap { name -> [String] in
        let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
        if name.hasPrefix(".") { return [] }
        if DurableFile.isFolder("\(folder)/\(path)") {
          return try files(in: folder, path, depth: depth + 1)
        }
        let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        return pictures.contains(ending) || isTar(name) ? [path] : []
      }
  }

  /// Calls `body` with each picture or hash, in order.
  func forEach(_ body: (Item) throws -> Void) throws {
    switch self {
    case .folder(let folder, let files):
      for file in files {
        let path = "\(folder)/\(file)"
        if Self.isTar(file) {
          try Self.tar(path, prefix: file + "/", body)
        } else if try DurableFile.size(of: path) <= Self.mostBytes {
          try body(.picture(name: file, body: try DurableFile.read(path)))
        } else {
          try body(.picture(name: file, body: []))
        }
      }
    case .tar(let path): try Self.tar(path, prefix: "", body)
    case .list(let path): try Self.list(path, body)
    case .index: break
    }
  }

  private static func tar(_ path: String, prefix: String, _ body: (Item) throws -> Void) throws {
    let reader: ShardReader
    do {
      reader = try ShardReader(path: path)
    } catch {
      throw EvaluationSet.refusal(path, "a tar that can be read: \(error)")
    }
    try reader.forEach { try body(.picture(name: prefix + $0.key, body: $0.image)) }
  }

  private static func list(_ path: String, _ body: (Item) throws -> Void) throws {
    guard try DurableFile.size(of: path) <= Int(Int32.max) else {
      throw EvaluationSet.refusal(path, "a list of hashes: it has more than 2 GB")
    }
    let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    // A line may end in CR LF, which is one Character.
    for (number, line) in text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    ).enumerated() {
      let word = String(line.trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace })
      if word.isEmpty || word.hasPrefix("#") { continue }
      let isHexadecimal = word.utf8.allSatisfy {
        Character(UnicodeScalar($0)).isHexDigit
      }
      switch word.utf8.count {
      case 16 where isHexadecimal: try body(.hash(word.lowercased()))
      case 64 where isHexadecimal: try body(.digest(word.lowercased()))
      default:
        throw EvaluationSet.refusal(
          path,
          "a list of hashes: line \(number + 1) is neither 16 hexadecimal digits (a pHash) nor 64"
            + " (a SHA-256)")
      }
    }
  }

  static func sha256(_ body: [UInt8]) -> String { ContentHash.sha256Hex(body) }

  /// See ``EvaluationSet/identities(_:)``.
  func identity() throws -> String {
    var hash = ContentHash()
    func add(_ text: String) { hash.update(Array("\(text)\n".utf8)) }
    func addEnds(of path: String) throws {
      let size = try DurableFile.size(of: path)
      add("\(size)")
      hash.update(try DurableFile.read(path, count: 1 << 20, at: 0))
      hash.update(try DurableFile.read(path, count: 1 << 20, at: max(0, size - 1 << 20)))
    }
    switch self {
    case .folder(let folder, let files):
      for file in files {
        add("\(file) \(try DurableFile.size(of: "\(folder)/\(file)"))")
        if Self.isTar(file) { try addEnds(of: "\(folder)/\(file)") }
      }
    case .tar(let path): try addEnds(of: path)
    case .index(let path): add(try EvaluationIndex.hash(of: path))
    case .list(let path): hash.update(try DurableFile.read(path))
    }
    return hash.hexDigest()
  }
}
