import PipelineCore

/// Makes a row of a JSON object: its URL, caption and hash by their keys, and all else carried.
struct JSONObjectReader {
  private struct Member {
    /// Its place in ``keys``.
    var key: Range<Int>
    var value: Range<Int>
    var kind: JSONWalker.Kind
  }

  private let urls: [[UInt8]]
  private let captions: [[UInt8]]
  private let hash: [UInt8]?
  private let roles: ColumnRoles
  /// Whether a row without a URL is wrong.
  private let needsURL: Bool
  // Reused from row to row.
  private var members: [Member] = []
  private var keys: [UInt8] = []
  private(set) var uid: [UInt8] = []
  /// Whether an object had a caption, though it be null.
  private(set) var hasCaptions = false

  init(_ roles: ColumnRoles, needsURL: Bool = true) {
    self.roles = roles
    self.needsURL = needsURL
    urls = roles.url.map { Array($0.utf8) }
    captions = roles.caption.map { Array($0.utf8) }
    hash = roles.hash.map { Array($0.utf8) }
  }

  /// Fills `row` from the object in `range` of `bytes`, or rejects it.
  ///
  /// - Parameters:
  ///   - row: Cleared before; its caption stays where the object has none.
  ///   - bytes: Hold the object, with nothing but white space around it.
  ///   - range: Its place.
  ///   - schema: Learns the carried columns.
  mutating func fill(
    _ row: inout ListRow, _ bytes: [UInt8], _ range: Range<Int>, _ schema: inout ColumnSchema
  ) {
    guard TextRule.isUTF8(bytes, range) else {
      row.reject = "the object is not UTF-8"
      return
    }
    do throws(JSONFault) {
      guard try readMembers(bytes, range) else {
        row.reject = "the \(range.isEmpty ? "text" : "line") is no JSON object"
        return
      }
      try assign(&row, bytes, &schema)
    } catch {
      row.reject = error.description
    }
  }

  private mutating func readMembers(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(JSONFault) -> Bool {
    members.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    var walker = JSONWalker(bytes, range, isCopying: false)
    var nowhere: [UInt8] = []
    walker.skipSpace()
    guard walker.take(UInt8(ascii: "{")) else {
      // Tell what is no JSON from what is no object.
      try walker.value(into: &nowhere)
      return false
    }
    walker.skipSpace()
    if !walker.take(UInt8(ascii: "}")) {
      while true {
        walker.skipSpace()
        guard walker.current == UInt8(ascii: "\"") else { throw walker.fault("a key is missing") }
        let key = keys.count
        try walker.text(into: &keys)
        walker.skipSpace()
        guard walker.take(UInt8(ascii: ":")) else { throw walker.fault("a colon is missing") }
        walker.skipSpace()
        let start = walker.place
        let kind = try walker.value(into: &nowhere, depth: 1)
        members.append(
          Member(key: key..<keys.count, value: start..<walker.place, kind: kind))
        walker.skipSpace()
        if walker.take(UInt8(ascii: "}")) { break }
        guard walker.take(UInt8(ascii: ",")) else { throw walker.fault("a comma or } is missing") }
      }
    }
    walker.skipSpace()
    guard walker.isAtEnd else { throw walker.fault("text after the value") }
    return true
  }

  private func index(of names: [[UInt8]]) -> Int? {
    for name in names {
      if let index = members.firstIndex(where: { keys[$0.key].elementsEqual(name) }) {
        return index
      }
    }
    return nil
  }

  private mutating func assign(
    _ row: inout ListRow, _ bytes: [UInt8], _ schema: inout ColumnSchema
  ) throws(JSONFault) {
    let url = index(of: urls)
    if url == nil && needsURL {
      row.reject = "no \(roles.url.joined(separator: " or "))"
      return
    }
    let caption = index(of: captions)
    if caption != nil { hasCaptions = true }
    if caption == nil && roles.isCaptionNamed {
      row.reject = "no \(roles.caption.joined(separator: " or "))"
      return
    }
    if let hash, index(of: [hash]) == nil {
      row.reject = "no \(roles.hash ?? "")"
      return
    }
    schema.beginRow()
    uid.removeAll(keepingCapacity: true)
    for (index, member) in members.enumerated() {
      let key = keys[member.key]
      var walker = JSONWalker(bytes, member.value, isCopying: true)
      if index == url || index == caption {
        switch member.kind {
        case .string:
          if index == url {
            try walker.text(into: &row.url)
          } else {
            row.caption.removeAll(keepingCapacity: true)
            try walker.text(into: &row.caption)
          }
          continue
        case .null where index == caption || !needsURL: continue
        default:
          row.reject = "\(String(decoding: key, as: UTF8.self)) is no text"
          return
        }
      }
      if let url, key.elementsEqual(keys[members[url].key]) {
        row.reject = Self.twice(key)
        return
      }
      if let hash, key.elementsEqual(hash) {
        var digits: [UInt8] = []
        if member.kind == .string {
          var walker = walker
          try walker.text(into: &digits)
        }
        row.setHash(digits, column: roles.hash ?? "")
      }
      if !needsURL, member.kind == .string, key.elementsEqual("uid".utf8) {
        try walker.text(into: &uid)
        continue
      }
      guard schema.note(key, Self.type(of: member.kind)) else {
        row.reject =
          schema.names.count < ColumnSchema.mostColumns
          ? Self.twice(key) : "the list has more than \(ColumnSchema.mostColumns) columns"
        return
      }
      row.beginColumn()
      JSONText.append(keys, member.key, to: &row.columns)
      row.columns.append(UInt8(ascii: ":"))
      try walker.value(into: &row.columns)
    }
  }

  private static func twice(_ key: ArraySlice<UInt8>) -> String {
    "key \(String(decoding: key, as: UTF8.self)) is there twice"
  }

  private static func type(of kind: JSONWalker.Kind) -> ColumnType? {
    switch kind {
    case .null: nil
    case .bool: .bool
    case .int: .int
    case .double: .double
    case .string: .string
    case .other: .json
    }
  }
}
