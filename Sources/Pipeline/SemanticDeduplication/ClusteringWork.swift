import ContentHashing
import DurableFiles
import EmbeddingFiles

/// What a clustering has come to, durable after every pass, in the folder where the output grows.
///
/// Two files: the centroids after the last pass, and at the end the cluster and the cosine of every row. Each is
/// a head of three numbers of 64 bits, Floats and whole numbers of 32 bits, little-endian, and the SHA-256 of all
/// that; one of other rows or bytes counts as none.
struct ClusteringWork {
  let folder: String

  private var pass: String { "\(folder)/pass.bin" }
  private var assignment: String { "\(folder)/assignment.bin" }

  /// What to go on from, of `count` clusters at most and rows of `width`; nil where nothing is there.
  func state(count: Int, width: Int) throws -> ClusteringState? {
    guard let (head, numbers) = try read(pass), !numbers.isEmpty, numbers.count % width == 0,
      numbers.count / width <= count, let number = Int(exactly: head[0])
    else { return nil }
    return ClusteringState(
      pass: number, cosine: Double(bitPattern: head[1]),
      centroids: numbers.map { Float(bitPattern: $0) })
  }

  func write(_ state: ClusteringState) throws {
    try write(
      [UInt64(state.pass), state.cosine.bitPattern, 0], state.centroids.map(\.bitPattern), to: pass)
  }

  /// The assignment of all rows; nil where it is not there.
  func clusters(rows: Int, width: Int) throws -> EmbeddingClusters? {
    guard let (head, numbers) = try read(assignment), head[0] == UInt64(rows),
      head[1] == UInt64(width), numbers.count >= 2 * rows,
      (numbers.count - 2 * rows) % width == 0
    else { return nil }
    return EmbeddingClusters(
      cluster: numbers[..<rows].map { Int($0) },
      cosine: numbers[rows..<2 * rows].map { Float(bitPattern: $0) },
      centroids: numbers[(2 * rows)...].map { Float(bitPattern: $0) })
  }

  func write(_ clusters: EmbeddingClusters, width: Int) throws {
    let numbers =
      clusters.cluster.map { UInt32($0) } + clusters.cosine.map(\.bitPattern)
      + clusters.centroids.map(\.bitPattern)
    try write([UInt64(clusters.cluster.count), UInt64(width), 0], numbers, to: assignment)
    try DurableFile.remove(pass)
  }

  private static let (headBytes, digestBytes) = (24, 32)

  private func write(_ head: [UInt64], _ numbers: [UInt32], to path: String) throws {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headBytes + 4 * numbers.count + Self.digestBytes)
    for value in head { for shift in 0..<8 { bytes.append(UInt8(value >> (8 * shift) & 255)) } }
    for value in numbers { for shift in 0..<4 { bytes.append(UInt8(value >> (8 * shift) & 255)) } }
    try DurableFile.write(bytes + ContentHash.sha256(bytes), to: path)
  }

  private func read(_ path: String) throws -> (head: [UInt64], numbers: [UInt32])? {
    guard DurableFile.exists(path) else { return nil }
    let bytes = try DurableFile.read(path)
    let end = bytes.count - Self.digestBytes
    guard end >= Self.headBytes, (end - Self.headBytes) % 4 == 0,
      ContentHash.sha256(Array(bytes[..<end])) == Array(bytes[end...])
    else { return nil }
    let head = (0..<3).map { index in
      (0..<8).reduce(0) { $0 | UInt64(bytes[8 * index + $1]) << (8 * UInt64($1)) }
    }
    let numbers = stride(from: Self.headBytes, to: end, by: 4).map { place in
      (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
    }
    return (head, numbers)
  }
}

extension EmbeddingRows {
  /// SHA-256 of all numbers as Floats: two sets of one shape differ by it.
  var digest: String {
    var hash = ContentHash()
    let step = max(1, (1 << 22) / width)
    for first in stride(from: 0, to: count, by: step) {
      hash.update(bytes(first..<min(count, first + step)))
    }
    return hash.hexDigest()
  }
}
