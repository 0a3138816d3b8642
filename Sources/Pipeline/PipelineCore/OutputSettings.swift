import ContentHashing
package import DurableFiles

/// What an output follows from, in words: kept with it, and compared when its command is given again.
package struct OutputSettings: Sendable {
  package let values: [(key: String, value: String)]

  package init(_ values: [(key: String, value: String)]) { self.values = values }

  package var json: JSONValue { .object(values.map { .init($0.key, .string($0.value)) }) }

  /// A line for each that differs from what an earlier command has kept.
  package func differences(from old: JSONValue?) -> [String] {
    let now = Dictionary(values.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    let keys = values.map(\.key) + (old?.members ?? []).map(\.key).filter { now[$0] == nil }
    return keys.compactMap { key in
      let was = old?[key]?.text
      return was == now[key]
        ? nil : "\(key): was \(was ?? "not there"), now \(now[key] ?? "not there")"
    }
  }

  /// Files by name and bytes, in order: a pass over them.
  ///
  /// No path: the same files elsewhere are the same. Sizes would not do: archives are padded, and tables of one
  /// shape are often of one size.
  package static func digests(of paths: [String]) throws(FileError) -> [String] {
    var told: [String] = []
    for path in paths {
      told.append("\(path.split(separator: "/").last ?? "") \(try FileDigest.sha256(of: path))")
    }
    return told
  }
}
