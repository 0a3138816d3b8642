import ArgumentParser
import DurableFiles
import Glibc
import HTTPFetch
import PipelineCore
import WorkerThreads

/// `pairloom model fetch URL|hub:ORG/NAME`: real weights, checked before they get their name.
struct ModelFetchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Fetch weights from a URL or a hub of models, resumed and checked.",
    discussion: """
      Of a repository (hub:ORG/NAME[@REVISION]) it takes what open_clip or transformers would: safetensors \
      before torch's files, the configuration, preprocessing and tokenizer; all of one commit, each file \
      checked against the hub's SHA-256 or git's name of its bytes, where the hub tells them. A URL of OpenAI's holds the SHA-256 itself. What has come stays in \
      FILE.part: the same command goes on from there.

      HF_ENDPOINT names another hub than huggingface.co. HF_TOKEN is sent to that hub alone, never to where it \
      redirects, and never shown.

        pairloom model fetch hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K --out ViT-B-32
        pairloom model fetch https://HOST/model.safetensors --sha256 HEX --out MODEL
      """)

  @Argument(help: "A URL, or hub:ORG/NAME[@REVISION].")
  var source: String

  @Option(
    help: "A file of the repository, instead of the usual ones; or what to call a URL's file.")
  var file: [String] = []

  @Option(help: "What the weights' SHA-256 must be, 64 hexadecimal digits.")
  var sha256: String?

  @Option(help: "The folder to put them in.")
  var out: String

  @Option(help: "The most bytes of all files together. (default: 100GB)")
  var maxBytes: ByteCount?

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func validate() throws {
    if let sha256 {
      guard sha256.utf8.count == 64, sha256.allSatisfy({ $0.isHexDigit }) else {
        throw ValidationError("--sha256 must be 64 hexadecimal digits.")
      }
    }
    guard source.hasPrefix("hub:") || file.count <= 1 else {
      throw ValidationError("A URL is one file: give --file once at most.")
    }
  }

  func run() async throws {
    // What has come is gone on with by the same command.
    Interruption.shared.watchToLeave()
    let folder = out.count > 1 && out.hasSuffix("/") ? String(out.dropLast()) : out
    try DurableFile.makeFolder(folder)
    let limit = maxBytes?.bytes ?? 100_000_000_000
    let token = source.hasPrefix("hub:") ? Self.environment("HF_TOKEN") : nil
    var source = try await self.source(folder: folder, token: token)
    if let record = try Self.record(in: folder) { source.recall(record) }
    let total = ModelFetchSource.bytes(of: source.files)
    guard total <= limit else {
      throw FileDownloadError(.tooLarge(bytes: total, limit: limit), url: source.text)
    }
    let needed = ModelFetchSource.bytes(
      of: source.files.filter { !DurableFile.exists("\(folder)/\($0.name)") })
    if let free = FreeSpace.bytes(in: folder), needed > free {
      throw FileDownloadError(.noSpace(needed: needed, free: free), url: source.text)
    }
    var fetched: [FetchedModelFile] = []
    for file in source.files {
      let done = fetched.reduce(0) { $0 + $1.outcome.bytes }
      let outcome = try await Self.fetch(file, to: folder, token: token, limit: limit - done)
      fetched.append(FetchedModelFile(name: file.name, url: file.url, outcome: outcome))
    }
    let summary = ModelFetchSummary(source: source, folder: folder, files: fetched)
    try DurableFile.write(summary.record.serialized + "\n", to: "\(folder)/fetched.json")
    if json {
      Terminal.print(summary.record.serialized)
    } else {
      for line in summary.lines { Terminal.note(line) }
      Terminal.print(folder)
    }
  }

  private func source(folder: String, token: String?) async throws -> ModelFetchSource {
    guard source.hasPrefix("hub:") else {
      return try ModelFetchSource(url: source, name: file.first, sha256: sha256)
    }
    let endpoint = Self.environment("HF_ENDPOINT") ?? "https://huggingface.co"
    guard let repository = HubRepository(source, endpoint: endpoint) else {
      throw CommandError("\(source): a repository is named hub:ORG/NAME or hub:ORG/NAME@REVISION.")
    }
    let path = "\(folder)/.listing.\(getpid()).json"
    let download = FileDownload(repository.listing, to: path, token: token, maxBytes: 64 << 20)
    let bytes = try await Parallel.detached {
      _ = try download.run()
      let bytes = try DurableFile.read(path)
      try DurableFile.remove(path)
      return bytes
    }
    let listing: JSONValue
    do throws(JSONError) { listing = try JSONValue.parse(bytes) } catch {
      throw FileDownloadError(
        .badAnswer("the answer is no JSON: \(error)"), url: repository.listing)
    }
    return try ModelFetchSource(repository, listing: listing, names: file, sha256: sha256)
  }

  private static func fetch(
    _ file: ModelFetchSource.File, to folder: String, token: String?, limit: Int
  ) async throws -> FileDownload.Outcome {
    var download = FileDownload(
      file.url, to: "\(folder)/\(file.name)", sha256: file.sha256, size: file.size, token: token,
      maxBytes: limit)
    download.gitBlob = file.gitBlob
    download.formerSHA256 = file.formerSHA256
    let progress = WorkProgress()
    return try await Parallel.detached { [download] in
      try download.run { done, all in
        progress.show {
          "\(file.name): \(ByteCount.words(done))"
            + (all.map { " of \(ByteCount.words($0)) (\(100 * done / max(1, $0)) %)" } ?? "")
        }
      }
    }
  }

  /// What an earlier fetch into this folder has noted; nil where nothing that can be read.
  private static func record(in folder: String) throws -> JSONValue? {
    let path = "\(folder)/fetched.json"
    guard DurableFile.exists(path) else { return nil }
    // Only a shorter way: without it the files are fetched again, and it is written anew.
    let bytes = try DurableFile.read(path)
    do throws(JSONError) { return try JSONValue.parse(bytes) } catch { return nil }
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }
}
