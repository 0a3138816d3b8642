import DurableFiles
import ParquetFile
import ZipFiles

/// A `.npz` file of CLIP features, as DataComp's pools have them beside their tables of metadata.
///
/// An array for each model and tower, `MODEL_img` and `MODEL_txt` (`b32` and `l14` there), `[N, D]`; row i of all
/// is row i of the Parquet table of the same stem. Stored arrays are read where they lie; deflated ones
/// (numpy.savez_compressed) are unpacked to a file in `TMPDIR` that has no name.
///
/// Source: NumPy's lib/format.py and ZIP; the names as in DataComp's download_upstream.py.
public struct FeatureArchive: Sendable {
  public let path: String
  private let archive: ZipArchive
  /// The models that there are, sorted.
  public let models: [String]

  static let ending = ".npz"
  /// A deflated array passes through memory; a longer one than this is to be saved without.
  private static let mostUnpacked = 8 << 30

  /// - Throws: ``EmbeddingFileError`` where it is no archive, or has no such array.
  public init(_ path: String) throws(EmbeddingFileError) {
    self.path = path
    do throws(ZipError) {
      archive = try ZipArchive(ByteSource(path: path))
    } catch {
      throw EmbeddingFileError(path: path, error)
    }
    let names = archive.names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    models = Set(
      names.compactMap { name in
        EmbeddingFolder.Tower.allCases.first { name.hasSuffix($0.arrayEnding) }
          .map { String(name.dropLast($0.arrayEnding.count)) }
      }
    ).sorted()
    guard !models.isEmpty else {
      throw EmbeddingFileError(
        path: path,
        .missing(
          "it has no array MODEL_img or MODEL_txt, such as b32_img, but "
            + (names.isEmpty ? "none" : names.joined(separator: ", "))))
    }
  }

  /// The table of the same stem; nil where there is none.
  var table: String? {
    let path = String(path.dropLast(Self.ending.count)) + ".parquet"
    return DurableFile.exists(path) ? path : nil
  }

  /// The vectors of a model's tower; nil where it has none.
  ///
  /// - Throws: ``EmbeddingFileError`` for an array that is damaged or of another kind.
  func rows(
    _ model: String, _ tower: EmbeddingFolder.Tower
  ) throws(EmbeddingFileError) -> NumpyRows? {
    let name = model + tower.arrayEnding
    guard let member = archive.members[name + ".npy"] else { return nil }
    let place = "\(path), \(name)"
    guard member.isDeflated else {
      let file: MappedFile
      do throws(FileError) { file = try MappedFile(path) } catch {
        throw EmbeddingFileError(path: path, .file(error))
      }
      // The file may have been replaced by a shorter one since its table was read.
      guard member.start + member.storedCount <= file.size else {
        throw EmbeddingFileError(path: place, .damaged("the file was cut while it was read"))
      }
      return try NumpyRows(file, member.start..<member.start + member.storedCount, name: place)
    }
    let bytes: [UInt8]
    do throws(ZipError) {
      bytes = try archive.contents(of: member, limit: Self.mostUnpacked)
    } catch {
      throw EmbeddingFileError(path: path, error)
    }
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(temporary: bytes, of: place) } catch {
      throw EmbeddingFileError(path: place, .file(error))
    }
    return try NumpyRows(file, 0..<bytes.count, name: place)
  }

  /// The archives of a path: the file itself, or those in a folder, by name.
  ///
  /// - Throws: What the file system refuses.
  static func paths(_ path: String) throws(FileError) -> [String] {
    guard DurableFile.isFolder(path) else { return path.hasSuffix(ending) ? [path] : [] }
    return try DurableFile.names(in: path).filter { $0.hasSuffix(ending) }.map { "\(path)/\($0)" }
  }
}

extension EmbeddingFolder.Tower {
  /// The end of an array's name in DataComp's archives.
  var arrayEnding: String {
    switch self {
    case .image: "_img"
    case .text: "_txt"
    }
  }
}

extension EmbeddingFileError {
  init(path: String, _ error: ZipError) {
    let problem: Problem =
      switch error.reason {
      case .unreadable(let cause): .file(cause)
      case .truncated(let expected, let actual):
        .damaged("\(actual) bytes where \(expected) are wanted")
      case .archive(let words): .damaged("the archive: \(words)")
      }
    self.init(path: path, problem)
  }
}
