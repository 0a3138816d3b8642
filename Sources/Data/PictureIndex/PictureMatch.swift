/// What an index holds that may be a picture asked for.
public struct PictureMatch: Sendable, Equatable {
  /// The entry's number, from 0 in the order in which they were appended.
  public var position: Int
  /// The bits of the keys that differ.
  public var distance: Int

  public init(position: Int, distance: Int) {
    self.position = position
    self.distance = distance
  }
}
