public import DurableFiles
public import ParquetFile

/// Why a file of embeddings cannot be read or written: where, what, and what to do next.
public struct EmbeddingFileError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Problem: Sendable, Equatable {
    /// The system refused an operation.
    case file(FileError)
    /// A table beside the vectors cannot be read.
    case table(ParquetError)
    /// The bytes are no `.npy` file.
    case notNumpy(String)
    /// The header contradicts itself, or the bytes behind it.
    case damaged(String)
    /// A valid array of a kind that holds no rows of floats.
    case unsupported(String)
    /// Files that belong together do not fit together.
    case mismatch(String)
    /// Nothing is there.
    case missing(String)
  }

  public var path: String
  public var problem: Problem

  public init(path: String, _ problem: Problem) {
    self.path = path
    self.problem = problem
  }

  public var description: String {
    switch problem {
    case .file(let error): "\(error)"
    case .table(let error): "\(error)"
    case .notNumpy(let words): "\(path): no NumPy array: \(words). Name a .npy file."
    case .damaged(let words):
      "\(path): damaged: \(words). Fetch it again, or write it anew (numpy.save, pairloom embed)."
    case .unsupported(let words):
      "\(path): \(words). Write it anew with numpy.save(path, array.astype('float16'))."
    case .mismatch(let words):
      "\(path): \(words). Make the embeddings again, or name the files that belong together."
    case .missing(let words): "\(path): \(words)."
    }
  }
}
