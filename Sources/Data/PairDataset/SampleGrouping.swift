/// WebDataset's rules for which members of a tar make one sample.
///
/// Source: webdataset/tariterators.py (`base_plus_ext`, `group_by_keys`); where a suffix comes twice
/// under one key a new sample begins, as in open_clip's reader.
enum SampleGrouping {
  /// The endings taken for the picture: open_clip's and GIF.
  static let imageExtensions: Set<String> = ["jpg", "png", "jpeg", "webp", "gif"]
  /// The most members that one sample may have.
  static let maxMembers = 10_000

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

  /// Why a member of this name must not be taken; nil for a good name.
  ///
  /// Pairloom makes no path of a key, but others unpack shards and make files of it: a name that
  /// leads out of their folder, or breaks a line or a C string, is refused when read and when written.
  static func danger(of name: String) -> String? {
    let bytes = name.utf8
    if bytes.first == UInt8(ascii: "/") { return "is an absolute path" }
    if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "holds a control character" }
    if bytes.contains(UInt8(ascii: "/")),
      bytes.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("..".utf8) })
    {
      return "leads out of its folder"
    }
    return nil
  }

  /// Collects members, in the order of the tar, into samples.
  struct Collector<Payload> {
    struct Sample {
      var key: String
      var members: [(suffix: String, payload: Payload)]
    }

    private var open: Sample?
    /// The suffixes of `open` once it has so many members that looking through them would be slow.
    private var suffixes: Set<String> = []

    init() {}

    /// Whether a member so named would be one more of the sample that is open.
    func continues(key: String, suffix: String) -> Bool {
      guard let open, open.key == key else { return false }
      return suffixes.isEmpty
        ? !open.members.contains { $0.suffix == suffix } : !suffixes.contains(suffix)
    }

    /// The members of the sample that is open.
    var openMembers: Int { open?.members.count ?? 0 }

    /// Takes the next member; gives the sample that this one shows to be complete.
    mutating func add(key: String, suffix: String, _ payload: Payload) -> Sample? {
      if continues(key: key, suffix: suffix) {
        open?.members.append((suffix, payload))
        if !suffixes.isEmpty {
          suffixes.insert(suffix)
        } else if let members = open?.members, members.count > 16 {
          suffixes = Set(members.map(\.suffix))
        }
        return nil
      }
      defer { open = Sample(key: key, members: [(suffix, payload)]) }
      suffixes = []
      return open
    }

    /// Gives the last sample.
    mutating func finish() -> Sample? {
      defer { open = nil }
      suffixes = []
      return open
    }
  }
}
