import PairDataset
import PipelineCore

/// The samples of a WebDataset shard, whose pictures are taken from there.
///
/// The caption is the `.txt`, else the JSON's column of captions; the URL is the JSON's, where it has
/// one. A pair's name is that of any shard (see `PairIdentity`): the JSON's `uid`, else by URL and
/// caption, else by picture and caption.
final class TarRows: RowSource {
  var hasCaptions: Bool { hasTexts || objects.hasCaptions }
  private var hasTexts = false
  private let reader: TarSampleReader
  private let path: String
  private let roles: ColumnRoles
  private var objects: JSONObjectReader
  private var line = 0

  init(path: String, roles: ColumnRoles) throws(ListError) {
    self.path = path
    self.roles = roles
    objects = JSONObjectReader(roles, needsURL: false)
    do throws(ShardError) { reader = try TarSampleReader(path: path) } catch {
      throw Self.listError(error)
    }
    let ending = path.lowercased().split(separator: ".").last.map(String.init) ?? ""
    if ["gz", "zst", "lz4"].contains(ending), !reader.isCompressed {
      throw .unreadable(path: path, problem: "its name says that it is compressed, but it is not")
    }
  }

  private static func listError(_ error: ShardError) -> ListError {
    if case .file(let cause) = error.reason { return .refused(cause) }
    return .unreadable(path: error.shard, problem: error.description)
  }

  func next(_ row: inout ListRow, _ schema: inout ColumnSchema) throws(ListError) -> Bool {
    do throws(ShardError) {
      guard let sample = try reader.next() else { return false }
      line += 1
      row.clear(line: line)
      try fill(&row, sample, &schema)
    } catch {
      throw Self.listError(error)
    }
    return true
  }

  private func fill(
    _ row: inout ListRow, _ sample: TarSample, _ schema: inout ColumnSchema
  ) throws(ShardError) {
    guard let picture = sample.picture else {
      row.reject = "sample \(sample.key) has no picture of a known kind"
      return
    }
    if let metadata = sample.metadata {
      objects.fill(&row, metadata, 0..<metadata.count, &schema)
    } else if let name = roles.hash ?? (roles.isCaptionNamed ? roles.caption.first : nil) {
      row.reject = "no \(name)"
    }
    if let reason = row.reject {
      row.reject = "sample \(sample.key): its .json: \(reason)"
      return
    }
    if let text = sample.text, !roles.isCaptionNamed {
      guard TextRule.problem(text, 0..<text.count) == nil else {
        row.reject = "sample \(sample.key): its .txt is not UTF-8"
        return
      }
      row.caption = text
      hasTexts = true
    }
    row.picture = PictureSource(
      tar: path, key: sample.key,
      bytes: ByteRange(offset: picture.offset, length: picture.length), frame: picture.frame)
    if sample.metadata != nil, Self.isName(objects.uid) {
      row.uid = String(decoding: objects.uid, as: UTF8.self)
    } else {
      var normalized: [UInt8] = []
      if NormalizedURL.normalize(row.url, into: &normalized) { return }
      row.uid = PairIdentity.uid(of: try reader.data(of: picture) + row.caption)
    }
  }

  /// Whether a foreign `uid` may be a key of our shards: no dot, no slash, of sensible length.
  private static func isName(_ uid: [UInt8]) -> Bool {
    !uid.isEmpty && uid.count <= 128
      && uid.allSatisfy {
        ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x2D
          || $0 == 0x5F
      }
  }
}
