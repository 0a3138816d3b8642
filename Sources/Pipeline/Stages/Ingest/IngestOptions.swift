public import PipelineCore

/// What ingest goes by.
public struct IngestOptions: Sendable, Equatable {
  /// The list: each a file, a folder, a glob, or several of them with commas between.
  public var inputs: [String]
  /// The column of URLs; the first of url, URL when nil.
  public var urlColumn: String?
  /// The column of captions; the first of caption, text, TEXT, alt when nil, and none is fine.
  public var captionColumn: String?
  /// The column of expected hashes of the original bytes (MD5, SHA-256 or SHA-512); none when nil.
  public var hashColumn: String?
  /// The format of every file, whatever its name; nil goes by the names.
  public var format: ListFormat?
  /// Other columns that a later stage reads, so that a list without them is refused.
  public var neededColumns: [String] = []
  /// Rows per chunk and per shard.
  public var chunkRows: Int
  /// Rows after which the list is taken to end; nil for all.
  public var limit: Int?

  /// The list as one text.
  public var input: String {
    get { inputs.joined(separator: ",") }
    set { inputs = newValue.isEmpty ? [] : [newValue] }
  }

  public init(
    input: String, urlColumn: String? = nil, captionColumn: String? = nil, chunkRows: Int = 1_000,
    limit: Int? = nil, format: ListFormat? = nil, hashColumn: String? = nil
  ) {
    self.inputs = input.isEmpty ? [] : [input]
    self.urlColumn = urlColumn
    self.captionColumn = captionColumn
    self.chunkRows = chunkRows
    self.limit = limit
    self.format = format
    self.hashColumn = hashColumn
  }

  /// Reads `input` (one text or a list), `url_column`, `caption_column`, `chunk_rows`, `format` and
  /// `hash_column`.
  public init(from reader: inout RecipeReader) throws(RecipeError) {
    var inputs: [String]
    do throws(RecipeError) {
      inputs = try reader.string("input").map { [$0] } ?? []
    } catch {
      // Not one text: a list of them.
      inputs = try reader.list("input")
    }
    inputs = inputs.filter { !$0.isEmpty }
    self.init(
      input: "", urlColumn: try reader.string("url_column"),
      captionColumn: try reader.string("caption_column"),
      chunkRows: try reader.int("chunk_rows", default: 1_000, in: 1...1_000_000),
      format: try Self.format(try reader.string("format")),
      hashColumn: try reader.string("hash_column"))
    self.inputs = inputs
  }

  private static func format(_ name: String?) throws(RecipeError) -> ListFormat? {
    guard let name else { return nil }
    guard let format = ListFormat(name: name) else {
      throw .badValue(
        key: "format", value: name,
        expected: "one of " + ListFormat.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return format
  }
}
