/// Where pairs come from, and how often an epoch visits each.
public struct DataSource: Sendable, Equatable {
  /// A `dataset.json`, a folder that has one or holds tars, a WebDataset tar, or a pattern such as
  /// `{00000..00009}.tar`.
  public var path: String
  /// Visits of each pair in an epoch: 2 is twice, 0.5 one half in this epoch and the other in the next.
  public var weight: Double

  public init(path: String, weight: Double = 1) {
    self.path = path
    self.weight = weight
  }

  /// Weights that are taken: above 0.
  public static let weights = 1e-6...1e3
}

/// A source that gives no pairs to train on.
public struct DataSourceError: Error, Equatable, Sendable, CustomStringConvertible {
  public var source: String
  public var problem: String

  public init(source: String, problem: String) {
    self.source = source
    self.problem = problem
  }

  public var description: String { "\(source): \(problem)" }
}
