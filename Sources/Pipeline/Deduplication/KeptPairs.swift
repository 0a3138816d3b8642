import CaptionMatching
import DurableFiles
import PictureIndex

/// What has been kept, batch by batch, in the index files of a folder.
///
/// The files say the same batches, or what one of them is ahead is taken back. They are no truth: whoever
/// has the tables of what was decided makes them again.
final class KeptPairs {
  static let picturesName = "pictures.index"
  /// With scope pair: pictures with their captions, in the order of the other.
  static let pairsName = "pairs.index"
  static let captionsName = "captions.index"

  let folder: String
  private let rules: DuplicateRules
  private let threads: Int
  private(set) var pictures: PictureIndex
  private var pairs: PictureIndex?
  private(set) var captions: CaptionIndex?

  init(_ rules: DuplicateRules, folder: String, threads: Int) throws {
    self.folder = folder
    self.rules = rules
    self.threads = threads
    try DurableFile.makeFolder(folder)
    pictures = try PictureIndex("\(folder)/\(Self.picturesName)", isWritable: true)
    try openOthers()
  }

  private func openOthers() throws {
    if rules.scope == .pair {
      pairs = try PictureIndex("\(folder)/\(Self.pairsName)", isWritable: true)
    }
    if rules.countsCaptions {
      captions = try CaptionIndex(
        "\(folder)/\(Self.captionsName)", similarity: rules.captionSimilarity, isWritable: true)
    }
  }

  /// In which a picture, alone or with its caption, is looked for.
  var searched: PictureIndex { pairs ?? pictures }

  /// The highest batch that every file holds.
  var lastBatch: Int? {
    let all =
      [pictures.lastBatch, pairs.map(\.lastBatch) ?? pictures.lastBatch]
      + [captions.map(\.lastBatch) ?? pictures.lastBatch]
    return all.contains(nil) ? nil : all.compactMap { $0 }.min()
  }

  /// Whether all files end with the same batch and have a picture for each other's.
  var isEven: Bool {
    (pairs.map { $0.count == pictures.count && $0.lastBatch == pictures.lastBatch } ?? true)
      && (captions.map { $0.lastBatch == pictures.lastBatch } ?? true)
  }

  /// Takes back every batch from `batch` on; false where the files must be made anew.
  func rewind(to batch: Int) throws -> Bool {
    guard try pictures.rewind(to: batch) else { return false }
    if let pairs, try !pairs.rewind(to: batch) { return false }
    if let captions, try !captions.rewind(to: batch) { return false }
    return true
  }

  /// Adds what a batch has kept; durable when it returns.
  ///
  /// - Parameters:
  ///   - kept: In order.
  ///   - found: Their captions as the index was asked for them just now; nil asks it here.
  ///   - batch: Its number.
  /// - Throws: What the disk refuses.
  func append(_ kept: [JudgedPair], captions found: CaptionBatch?, batch: Int) throws {
    try pictures.append(kept.map(\.entry), batch: batch)
    try pairs?.append(kept.map(\.entryWithCaption), batch: batch)
    guard let captions else { return }
    if let found { return try captions.append(found, batch: batch) }
    let all = BatchCaptions(kept, rules, captions, threads: threads)
    for (place, pair) in kept.enumerated() { all.keep(place, row: pair.row) }
    if let found = all.found { try captions.append(found, batch: batch) }
  }

  /// Begins with empty files.
  static func remove(in folder: String) throws {
    for name in [picturesName, pairsName, captionsName] {
      try DurableFile.remove("\(folder)/\(name)")
    }
  }
}
