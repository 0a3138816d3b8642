/// How much would go, at every radius, before anything does.
public struct DuplicatePlan: Sendable, Equatable, Codable {
  /// What one radius would drop.
  public struct Radius: Sendable, Equatable, Codable {
    /// Bits of the key in which copies may differ.
    public var radius: Int
    /// Pictures that would go if the keys alone counted.
    public var byKey: Int
    /// Pictures that would go after the finer check.
    public var confirmed: Int
  }

  public var pairs = 0
  /// Pairs whose picture does not decode, which can be told by their bytes alone.
  public var undecoded = 0
  /// Pairs whose bytes an earlier pair has; the rest is what the radii are about.
  public var sameBytes = 0
  /// For 0 to 12 bits.
  public var radii: [Radius] = []
  /// What the options as given would drop, by reason.
  public var dropped: [String: Int] = [:]

  public init() {}

  /// The highest radius that is counted.
  public static let highestRadius = 12
}
