/// Why a plan cannot be read or applied: which file and line, what, and what to do.
public struct FilterPlanError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  /// From 1; 0 where it is about the whole.
  public var line: Int
  public var problem: String

  public init(path: String, line: Int, _ problem: String) {
    self.path = path
    self.line = line
    self.problem = problem
  }

  public var description: String {
    line > 0 ? "\(path):\(line): \(problem)" : "\(path): \(problem)"
  }
}
