import DecodeStage
import DurableFiles
import FilterStage
import Foundation
import ImageCodec
import IngestStage
package import URLPipeline

/// What a run over a list will take, guessed before it begins.
///
/// Averages of the field, not promises: at 256² and quality 95 a picture takes 30 KB (img2dataset's
/// README: 29.9 GB per million), a picture of the web some 150 KB.
package struct RunEstimate: Sendable, Equatable {
  /// Rows of the list; nil where its name or form does not tell.
  package var rows: Int?
  /// Bytes at the fullest moment; nil without rows.
  package var bytes: Double?
  /// Files; nil without rows.
  package var files: Double?

  package init(rows: Int?, bytes: Double?, files: Double?) {
    self.rows = rows
    self.bytes = bytes
    self.files = files
  }

  private static let webPicture = 150_000.0
  /// Of all tables of a run together, per row.
  private static let tableRow = 1_200.0
  /// Tables of the stages, shard, index.
  private static let filesPerChunk = 9.0

  package init(rows: Int?, recipe: PipelineRecipe) {
    self.rows = rows
    guard let rows else { return }
    let side = Double(recipe.decode.imageSize)
    let picture =
      recipe.decode.resizeMode == .no
      ? Self.webPicture
      : side * side * 0.456 * Self.weight(quality: recipe.decode.encodeQuality)
    let isFiltered = recipe.filter != .none
    let chunks = (Double(rows) / Double(recipe.ingest.chunkRows)).rounded(.up)
    // Where deduplication goes by all pictures, every one waits, decoded, for the last.
    let waiting = recipe.needsAllPictures ? Double(rows) * picture : 0
    let inFlight =
      waiting + min(Double(recipe.chunksInFlight), chunks) * Double(recipe.ingest.chunkRows)
      * (Self.webPicture + picture)
    bytes = Double(rows) * (picture * (isFiltered ? 2 : 1) + Self.tableRow) + inFlight
    files = chunks * (Self.filesPerChunk + (isFiltered ? 3 : 0))
  }

  /// The size of a JPEG against one of quality 95, roughly.
  private static func weight(quality: Int) -> Double {
    switch quality {
    case 98...: 1.8
    case 93...: 1
    case 85...: 0.6
    default: 0.4
    }
  }

  /// The rows of a list, from its size and the length of its first lines.
  ///
  /// - Returns: nil for what is no plain file, and for lists whose rows cannot be seen from outside.
  package static func rows(of list: String) -> Int? {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: list, isDirectory: &isFolder),
      !isFolder.boolValue
    else { return nil }
    do throws(FileError) {
      let size = try DurableFile.size(of: list)
      // A list that is packed takes some 40 bytes a row; a Parquet file's pages likewise.
      if [".gz", ".zst", ".parquet"].contains(where: list.hasSuffix) { return size / 40 }
      if [".tar", ".lz4"].contains(where: list.hasSuffix) { return nil }
      let head = try DurableFile.read(list, count: min(size, 1 << 20), at: 0)
      let lines = head.count { $0 == 0x0A }
      guard lines > 0 else { return size > 0 ? 1 : 0 }
      return size * lines / head.count
    } catch {
      return nil
    }
  }
}
