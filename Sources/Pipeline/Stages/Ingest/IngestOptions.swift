public import PipelineCore

/// What ingest goes by.
public struct IngestOptions: Sendable, Equatable {
  /// The list: CSV, TSV, JSONL or TXT by its name, each also gzipped.
  public var input: String
  /// The column of URLs; the first of url, URL when nil.
  public var urlColumn: String?
  /// The column of captions; the first of caption, text, TEXT, alt when nil, and none is fine.
  public var captionColumn: String?
  /// Rows per chunk and per shard.
  public var chunkRows: Int
  /// Rows after which the list is taken to end; nil for all.
  public var limit: Int?

  public init(
    input: String, urlColumn: String? = nil, captionColumn: String? = nil, chunkRows: Int = 1_000,
    limit: Int? = nil
  ) {
    self.input = input
    self.urlColumn = urlColumn
    self.captionColumn = captionColumn
    self.chunkRows = chunkRows
    self.limit = limit
  }

  public init(from reader: inout RecipeReader) throws(RecipeError) {
    let input = try reader.string("input")
    self.init(
      input: input ?? "", urlColumn: try reader.string("url_column"),
      captionColumn: try reader.string("caption_column"),
      chunkRows: try reader.int("chunk_rows", default: 1_000, in: 1...1_000_000))
  }
}
