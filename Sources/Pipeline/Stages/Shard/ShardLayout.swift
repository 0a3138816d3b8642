import PipelineCore

/// How the pairs of a shard are described.
///
/// The JSON beside a picture and the row of the shard's table come from the same members, in
/// img2dataset's order: the list's other columns, caption, url, key, status, error_message, the
/// sizes, exif, sha256 of the downloaded bytes.
protocol ShardLayout: Sendable {
  /// The names of the layout's own columns; a column of the list has another.
  var ownFields: Set<String> { get }

  /// Whether pairs have a caption and a `.txt` for it, empty or not.
  var hasCaptions: Bool { get }

  /// Whether EXIF fields were asked for, which then have a column.
  var hasEXIF: Bool { get }

  /// The JSON that goes into the shard.
  func metadata(of fate: PairFate) -> [UInt8]

  /// The columns of the shard's table.
  ///
  /// - Parameter carried: The list's other columns, under the names that they have here.
  /// - Returns: Theirs and the layout's own.
  func columns(carried: [TableColumn]) -> [TableColumn]

  /// The row of the shard's table.
  func row(of fate: PairFate) -> JSONValue

  /// What else is published beside the shard: file endings and contents.
  func companions(of fates: [PairFate]) -> [(ending: String, content: [UInt8])]
}

extension ShardLayout {
  /// The members between the carried columns and a layout's own.
  ///
  /// - Parameters:
  ///   - fate: The pair.
  ///   - status: The layout's word for what became of it.
  ///   - message: Why it was dropped.
  ///   - noEXIF: Stands for the fields of a kept picture that has none; nil for null.
  /// - Returns: Them, in img2dataset's order.
  func commonMembers(
    of fate: PairFate, status: String, message: String?, noEXIF: String? = nil
  ) -> [JSONValue.Member] {
    func number(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let exif = fate.drop == nil ? fate.decoded?.exif ?? noEXIF : nil
    return (hasCaptions ? [.init("caption", .string(fate.candidate.caption))] : []) + [
      .init("url", .string(fate.candidate.url)), .init("key", .string(fate.key)),
      .init("status", .string(status)),
      .init("error_message", text(message)), .init("width", number(fate.decoded?.width)),
      .init("height", number(fate.decoded?.height)),
      .init("original_width", number(fate.decoded?.originalWidth)),
      .init("original_height", number(fate.decoded?.originalHeight)),
    ] + (hasEXIF ? [.init("exif", text(exif))] : []) + [
      .init("sha256", text(fate.sha256))
    ]
  }

  /// The columns of ``commonMembers(of:status:message:noEXIF:)``.
  func commonColumns(size: TableColumn.Kind) -> [TableColumn] {
    (hasCaptions ? [TableColumn("caption", .text)] : []) + [
      TableColumn("url", .text), TableColumn("key", .text),
      TableColumn("status", .text), TableColumn("error_message", .text),
      TableColumn("width", size), TableColumn("height", size), TableColumn("original_width", size),
      TableColumn("original_height", size),
    ] + (hasEXIF ? [TableColumn("exif", .text)] : []) + [TableColumn("sha256", .text)]
  }
}
