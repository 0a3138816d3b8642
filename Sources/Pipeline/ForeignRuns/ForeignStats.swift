import DurableFiles
import PipelineCore

/// What `NNNNN_stats.json` counts.
struct ForeignStats: Equatable {
  var count: Int
  var successes: Int
  var failedToDownload: Int
  var failedToResize: Int
  /// When the shard was begun, milliseconds since 1970.
  var startedAt: Int?

  /// A larger file is none of img2dataset's, which caps its messages.
  private static let mostBytes = 256 << 20

  /// Reads the file; nil for one that is cut or holds something else.
  ///
  /// img2dataset takes the mere presence of the file for the end of its shard.
  init?(path: String) throws(FileError) {
    guard try DurableFile.size(of: path) <= Self.mostBytes else { return nil }
    let json: JSONValue
    let bytes = try DurableFile.read(path)
    do { json = try JSONValue.parse(bytes) } catch { return nil }
    func number(_ name: String) -> Int? {
      json[name]?.integer.flatMap { (0...(1 << 40)).contains($0) ? $0 : nil }
    }
    guard let count = number("count"), let successes = number("successes"),
      let failedToDownload = number("failed_to_download"),
      let failedToResize = number("failed_to_resize")
    else { return nil }
    self.count = count
    self.successes = successes
    self.failedToDownload = failedToDownload
    self.failedToResize = failedToResize
    if let seconds = json["start_time"]?.double, (0...1e11).contains(seconds) {
      startedAt = Int(seconds * 1_000)
    }
  }
}
