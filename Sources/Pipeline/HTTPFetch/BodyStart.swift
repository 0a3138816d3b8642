/// What the first bytes of a body say of it.
public enum BodyStart: Sendable, Equatable {
  /// Too few bytes to tell; asked again when there are more, and taken for wanted at the end.
  case undecided
  case wanted
  /// The rest is not asked for; the result is `FetchFailure.notAnImage`.
  case notAnImage
  /// A picture of the named kind, which nothing here decodes; `FetchFailure.unsupportedFormat`.
  case unsupported(String)
}

/// Judges the start of a body: called on the fetcher's thread with 64 to 4,096 bytes, fewer only
/// where the whole body is shorter; it must not block.
public typealias BodySniff = @Sendable (ArraySlice<UInt8>) -> BodyStart
