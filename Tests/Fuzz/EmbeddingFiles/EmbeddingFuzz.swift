import EmbeddingFiles
import Foundation
import FuzzSupport

private let file = FuzzFile(".npy")
private let folder = FileManager.default.temporaryDirectory.path + "/fuzz-embeddings"

/// Any array, and any folder of arrays and tables, ends in rows that its bytes justify, or in a typed error.
///
/// The input's first byte says which: even, and the rest is one array; odd, and the rest is cut by the next four
/// bytes, counts of 256 bytes each, into two parts of pictures, one of captions, a table, and a part of captions
/// that takes what is left.
@main struct EmbeddingFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static let names = [
    "img_emb/img_emb_0.npy", "img_emb/img_emb_1.npy", "text_emb/text_emb_0.npy",
    "metadata/metadata_0.parquet", "text_emb/text_emb_1.npy",
  ]

  private static func test(_ bytes: [UInt8]) {
    guard let mode = bytes.first else { return }
    do {
      if mode % 2 == 0 {
        file.write(bytes.dropFirst())
        try use(try EmbeddingFolder(file.path), bytes.count)
      } else {
        write(bytes.dropFirst())
        try use(try EmbeddingFolder(folder), bytes.count)
      }
    } catch let error as EmbeddingFileError {
      _ = error.description
    } catch {
      // Of the tables: `ParquetError`, which has a target of its own.
      _ = "\(error)"
    }
  }

  private static func use(_ embeddings: EmbeddingFolder, _ size: Int) throws {
    for rows in [embeddings.image, embeddings.text].compactMap(\.self) {
      precondition(rows.count * rows.width * 2 <= size, "\(rows.count) rows of \(size) bytes")
      // Rows without numbers are refused: as many as one likes would fit into nothing.
      precondition(rows.width > 0)
      let all = rows.vectors(0..<rows.count)
      for row in [0, rows.count / 2, rows.count - 1] where row >= 0 && row < rows.count {
        let one = rows.vectors(row..<row + 1)
        precondition(
          zip(one, all[(row * rows.width)...]).allSatisfy { $0.bitPattern == $1.bitPattern })
      }
    }
    _ = try embeddings.metadata(of: [0, embeddings.count - 1])
  }

  /// Empty parts are not there.
  private static func write(_ bytes: ArraySlice<UInt8>) {
    let counts = bytes.prefix(4).map { Int($0) * 256 }
    var rest = bytes.dropFirst(4)
    for (number, name) in names.enumerated() {
      let part = number < counts.count ? rest.prefix(counts[number]) : rest
      rest = rest.dropFirst(part.count)
      let path = folder + "/" + name
      unlink(path)
      guard !part.isEmpty else { continue }
      do {
        try FileManager.default.createDirectory(
          atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
          withIntermediateDirectories: true)
        try Data(part).write(to: URL(fileURLWithPath: path))
      } catch {
        fatalError("\(path): \(error)")
      }
    }
  }

  private static func seeds() throws -> [[UInt8]] {
    let path = FileManager.default.temporaryDirectory.path + "/pairloom-seed-\(UUID()).npy"
    defer { unlink(path) }
    var seeds: [[UInt8]] = []
    for type in NumpyType.allCases {
      try NumpyWriter.write((0..<32).map { Float($0) }, columns: 8, type: type, to: path)
      seeds.append([0] + [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
    }
    // Headers of NumPy's versions 2 and 3, of one dimension, and of records.
    for (version, shape, descr) in [
      (2, "(2, 2)", "'<f2'"), (3, "(2, 2)", "'<f4'"), (1, "(4,)", "'<f4'"),
      (1, "(2,)", "[('f0', '<u8'), ('f1', '<u8')]"), (1, "(2, 2)", "'>f4'"),
    ] {
      let dictionary = Array(
        "{'descr': \(descr), 'fortran_order': False, 'shape': \(shape), }\n".utf8)
      let length = [UInt8(dictionary.count), 0] + (version == 1 ? [] : [0, 0])
      seeds.append(
        [0, 0x93] + Array("NUMPY".utf8) + [UInt8(version), 0] + length + dictionary
          + [UInt8](repeating: 60, count: 32))
    }
    // Two rows of 32 halves are 128 bytes, as many as their header.
    try NumpyWriter.write([Float](repeating: 1, count: 64), columns: 32, to: path)
    let part = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    precondition(part.count == 256, "\(part.count)")
    seeds.append([1, 1, 1, 1, 0] + part + part + part + part)
    seeds.append([1, 1, 0, 0, 0] + part)
    return seeds
  }
}
