/// Which samples a shard may hold: such as every reader of WebDataset gives back as they were.
enum SampleRules {
  /// What keeps `sample` from being written, in words; nil when nothing does.
  static func fault(in sample: ShardSample) -> String? {
    let key = sample.key
    if key.isEmpty { return "the key is empty" }
    if key.utf8.count > 1024 { return "the key is longer than 1,024 bytes" }
    if key.utf8.last == UInt8(ascii: "/") { return "the key ends in a slash" }
    let part = key.utf8.lastIndex(of: UInt8(ascii: "/")).map { key[key.utf8.index(after: $0)...] }
    if (part ?? key[...]).utf8.contains(UInt8(ascii: ".")) {
      return "the key holds a dot; use a number or a hash"
    }
    if let danger = SampleGrouping.danger(of: key) { return "the key \(danger)" }
    guard sample.picture != nil else { return "it has no picture" }
    guard sample.members.count <= SampleGrouping.maxMembers else {
      return "it has more than \(SampleGrouping.maxMembers) members"
    }
    var suffixes: Set<String> = []
    var bytes = 0
    for member in sample.members {
      let suffix = member.suffix
      guard suffix.utf8.count <= 255, SampleGrouping.danger(of: suffix) == nil,
        let split = SampleGrouping.split("\(key).\(suffix)"), split == (key, suffix)
      else {
        return "the ending \(suffix.debugDescription) is not one that readers give back: lower "
          + "case, without slashes, up to 255 bytes"
      }
      if !suffixes.insert(suffix).inserted { return "the ending \(suffix) comes twice" }
      guard member.data.count <= TarReader.maxMember else {
        return "a member is larger than \(TarReader.maxMember) bytes"
      }
      bytes += member.data.count
    }
    return bytes <= SampleAssembler.maxSample
      ? nil : "it is larger than \(SampleAssembler.maxSample) bytes"
  }
}
