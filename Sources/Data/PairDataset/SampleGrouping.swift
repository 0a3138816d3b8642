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
    let bytes = name.utf8.span
    let mark = UInt8(ascii: "_")
    let count = bytes.count
    if count >= 2, bytes[0] == mark, bytes[1] == mark, bytes[count - 1] == mark,
      bytes[count - 2] == mark
    {
      return nil
    }
    var start = count
    while start > 0, bytes[start - 1] != UInt8(ascii: "/") { start -= 1 }
    var dot = start
    while dot < count, bytes[dot] != UInt8(ascii: ".") { dot += 1 }
    guard dot > start, dot < count else { return nil }
    var isLower = true
    for index in dot..<count where bytes[index] >= 0x80 || (0x41...0x5A).contains(bytes[index]) {
      isLower = false
    }
    let place = name.utf8.index(name.utf8.startIndex, offsetBy: dot)
    let suffix = name[name.utf8.index(after: place)...]
    return (String(name[..<place]), isLower ? String(suffix) : suffix.lowercased())
  }

  /// Why a member of this name must not be taken; nil for a good name.
  ///
  /// Pairloom makes no path of a key, but others unpack shards and make files of it: a name that
  /// leads out of their folder, or breaks a line or a C string, is refused when read and when written.
  static func danger(of name: String) -> String? {
    let bytes = name.utf8.span
    let slash = UInt8(ascii: "/")
    if bytes.count > 0, bytes[0] == slash { return "is an absolute path" }
    var partStart = 0
    for index in bytes.indices {
      let byte = bytes[index]
      if byte < 0x20 || byte == 0x7F { return "holds a control character" }
      if byte == slash {
        if isParent(bytes, partStart, index) { return "leads out of its folder" }
        partStart = index + 1
      }
    }
    return isParent(bytes, partStart, bytes.count) ? "leads out of its folder" : nil
  }

  /// Whether the part of a path from `start` to `end` is `..`.
  private static func isParent(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    end - start == 2 && bytes[start] == UInt8(ascii: ".") && bytes[start + 1] == UInt8(ascii: ".")
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
