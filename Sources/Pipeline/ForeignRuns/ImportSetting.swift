/// An option of img2dataset that an import has taken for the run's.
public struct ImportSetting: Sendable, Equatable {
  public enum Source: String, Sendable {
    /// The tables or the tars tell it.
    case tables
    /// The pictures look like it.
    case looks
    /// Nothing tells it: img2dataset's default.
    case usual
  }

  public var key: String
  public var value: String
  public var source: Source

  init(_ key: String, _ value: String, _ source: Source) {
    self.key = key
    self.value = value
    self.source = source
  }
}
