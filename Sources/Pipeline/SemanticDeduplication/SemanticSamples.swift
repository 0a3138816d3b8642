import DecodeStage
import DurableFiles
import PairDataset
import PipelineCore
import WorkerProcesses

/// Gathers the pictures of some rows while shards are read, and makes them small.
final class SemanticSamples {
  let rows: Set<Int>
  private let path: String
  private let file: DurableFileWriter
  private var places: [(row: Int, bytes: ByteRange)] = []
  private var captions: [Int: String] = [:]

  init(_ rows: Set<Int>, in folder: String) throws {
    self.rows = rows
    path = "\(folder)/pictures.bytes"
    file = try DurableFileWriter(path)
  }

  func take(_ pair: Pair, row: Int) throws {
    guard rows.contains(row) else { return }
    places.append((row, ByteRange(offset: file.byteCount, length: pair.image.count)))
    captions[row] = pair.caption
    try file.write(pair.image)
  }

  /// Small JPEGs by row, and captions.
  func finish(_ worker: WorkerCommand?) throws -> ([Int: [UInt8]], [Int: String]) {
    try file.commit()
    let made = try ThumbnailMaker(worker: worker).thumbnails(of: places.map(\.bytes), in: path)
    let pictures = Dictionary(
      zip(places, made).compactMap { place, jpeg in jpeg.map { (place.row, $0) } },
      uniquingKeysWith: { $1 })
    return (pictures, captions)
  }
}
