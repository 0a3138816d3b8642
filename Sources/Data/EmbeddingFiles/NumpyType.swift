/// The numbers of an array of vectors, by the names of NumPy's type strings; all little-endian.
public enum NumpyType: String, Sendable, CaseIterable {
  case float16 = "<f2"
  case float32 = "<f4"
  case float64 = "<f8"

  public var byteCount: Int {
    switch self {
    case .float16: 2
    case .float32: 4
    case .float64: 8
    }
  }
}
