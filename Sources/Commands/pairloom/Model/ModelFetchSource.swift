import DurableFiles
import HTTPFetch
import PipelineCore

/// What `pairloom model fetch` is asked for: files, where each is and what is known of it beforehand.
struct ModelFetchSource {
  struct File {
    var name: String
    var url: String
    var size: Int?
    var sha256: String?
    /// What git calls the bytes of a small file.
    var gitBlob: String?
    /// The SHA-256 that an earlier fetch of this very URL has noted.
    var formerSHA256: String?
  }

  /// No file of a hub has more bytes: a listing that says so is not one.
  private static let mostFileBytes = 1 << 50

  /// As the command got it.
  var text: String
  /// The commit of a repository.
  var commit: String?
  var files: [File]

  /// The file of a URL.
  ///
  /// - Parameters:
  ///   - url: OpenAI's hold the SHA-256 as their last part but one.
  ///   - name: What to call it; by default as the URL does.
  ///   - sha256: Of the file, where it is known.
  /// - Throws: Where it has no name.
  init(url: String, name: String?, sha256: String?) throws {
    let path = url.prefix { $0 != "?" && $0 != "#" }
    let parts = path.split(separator: "/")
    guard let own = name ?? (parts.count > 2 ? parts.last.map(String.init) : nil),
      Self.isSafe(own)
    else { throw CommandError("\(url): it names no file. Say what to call it with --file NAME.") }
    let told = parts.count > 3 ? String(parts[parts.count - 2]) : ""
    let isHash = told.utf8.count == 64 && told.allSatisfy { $0.isHexDigit }
    text = url
    files = [File(name: own, url: url, sha256: sha256 ?? (isHash ? told : nil))]
  }

  /// Files of a repository, as its listing says.
  ///
  /// - Parameters:
  ///   - repository: What was asked about.
  ///   - listing: The hub's answer.
  ///   - names: Those that are wanted; those that open_clip or transformers would load where empty.
  ///   - sha256: What the weights must have; the first file, that is.
  /// - Throws: Where a file is not there, or none would be loaded.
  init(
    _ repository: HubRepository, listing: JSONValue, names: [String], sha256: String?
  ) throws {
    guard case .array(let siblings)? = listing["siblings"] else {
      throw FileDownloadError(
        .badAnswer("the answer does not list the files of a repository"), url: repository.listing)
    }
    var known: [String: JSONValue] = [:]
    for sibling in siblings {
      if let name = sibling["rfilename"]?.text { known[name] = sibling }
    }
    let wanted = names.isEmpty ? HubRepository.chosen(of: Array(known.keys)) : names
    guard !wanted.isEmpty else {
      throw CommandError(
        "\(repository.name): there are no weights that open_clip or transformers would load. Name files"
          + " with --file: there are \(known.keys.sorted().prefix(20).joined(separator: ", ")).")
    }
    // A commit is part of a URL and of nothing else.
    let commit = listing["sha"]?.text.flatMap { text in
      text.allSatisfy { $0.isHexDigit } && !text.isEmpty ? text : nil
    }
    self.commit = commit
    text = "hub:\(repository.name)@\(repository.revision)"
    files = try wanted.enumerated().map { number, name in
      guard let sibling = known[name], Self.isSafe(name) else {
        throw CommandError(
          "\(repository.name) has no file \(name): there are"
            + " \(known.keys.sorted().prefix(20).joined(separator: ", ")).")
      }
      let size = sibling["lfs"]?["size"]?.integer ?? sibling["size"]?.integer
      guard (0...Self.mostFileBytes).contains(size ?? 0) else {
        throw FileDownloadError(
          .badAnswer("the answer gives \(name) a size of \(size ?? 0) bytes"),
          url: repository.listing)
      }
      let isLarge = sibling["lfs"]?["sha256"] != nil
      return File(
        name: name, url: repository.url(of: name, commit: commit), size: size,
        sha256: number == 0 && sha256 != nil ? sha256 : sibling["lfs"]?["sha256"]?.text,
        // Of a large file it names the pointer that git holds in its place.
        gitBlob: isLarge ? nil : sibling["blobId"]?.text.flatMap { Self.isBlob($0) ? $0 : nil })
    }
  }

  /// Takes what an earlier fetch has noted of files that come from the same commit.
  ///
  /// - Parameter record: Its `fetched.json`.
  mutating func recall(_ record: JSONValue) {
    // Under a branch's URL another state may stand by now.
    guard commit != nil, case .array(let known)? = record["files"] else { return }
    for index in files.indices {
      let former = known.first {
        $0["file"]?.text == files[index].name && $0["url"]?.text == files[index].url
      }
      files[index].formerSHA256 = former?["sha256"]?.text
    }
  }

  /// The bytes of all files together, as far as they are known; at most ``Int/max``.
  static func bytes(of files: [File]) -> Int {
    files.reduce(0) { sum, file in
      let (sum, isTooLarge) = sum.addingReportingOverflow(file.size ?? 0)
      return isTooLarge ? .max : sum
    }
  }

  private static func isBlob(_ text: String) -> Bool {
    text.utf8.count == 40 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
  }

  /// Whether a name stays inside the folder.
  private static func isSafe(_ name: String) -> Bool {
    !name.hasPrefix("/") && !name.isEmpty
      && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        !$0.isEmpty && $0 != "." && $0 != ".."
      } && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
  }
}
