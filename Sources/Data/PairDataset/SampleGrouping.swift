/// WebDataset's rules for which members of a tar make one sample.
///
/// Source: webdataset/tariterators.py (`base_plus_ext`, `group_by_keys`); where a suffix comes twice
/// under one key a new sample begins, as in open_clip's reader.
enum SampleGrouping {
  /// The endings taken for the picture: open_clip's and GIF.
  static let imageExtensions: Set<String> = ["jpg", "png", "jpeg", "webp", "gif"]

  /// A member's name up to the first dot of its last part, and what follows in lower case.
  ///
  /// Nil for what is no part of a sample: names without a dot, dot files, `__meta__` names.
  static func split(_ name: String) -> (key: String, suffix: String)? {
    if name.hasPrefix("__") && name.hasSuffix("__") { return nil }
    let bytes = name.utf8
    let base = bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes.index(after: $0) }
    let start = base ?? bytes.startIndex
    guard let dot = bytes[start...].firstIndex(of: UInt8(ascii: ".")), dot > start else {
      return nil
    }
    return (String(name[..<dot]), name[bytes.index(after: dot)...].lowercased())
  }

  /// Collects members, in the order of the tar, into samples.
  struct Collector<Payload> {
    struct Sample {
      var key: String
      var members: [(suffix: String, payload: Payload)]
    }

    private var open: Sample?

    init() {}

    /// Takes the next member; gives the sample that this one shows to be complete.
    mutating func add(key: String, suffix: String, _ payload: Payload) -> Sample? {
      if open?.key == key, open?.members.contains(where: { $0.suffix == suffix }) == false {
        open?.members.append((suffix, payload))
        return nil
      }
      defer { open = Sample(key: key, members: [(suffix, payload)]) }
      return open
    }

    /// Gives the last sample.
    mutating func finish() -> Sample? {
      defer { open = nil }
      return open
    }
  }
}
