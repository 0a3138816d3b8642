/// The run and its retries: each generation is a range of chunks that was added as one.
///
/// Generation 0 is the list, and every other a retry: rows of earlier generations once more, under
/// the same row number and uid, in chunks after all that there were. Its ingest job has the
/// generation's number, and so has its filter job; the ingest's report holds the facts below. What a
/// row's newest generation says of it is its fate; a retry's chunk that was given up says nothing.
public struct RunGenerations: Sendable, Equatable {
  public struct Generation: Sendable, Equatable {
    public var number: Int
    public var chunks: Range<Int>
    /// Pairs that the generation asks for again.
    public var retried: Int
    /// Those among them whose body had been fetched, only to be no picture.
    public var retriedFetched: Int
    /// The same by chunk.
    var retriedFetchedByChunk: [Int: Int]
  }

  /// In order; without those whose rows are still being chosen.
  public var all: [Generation]

  /// Facts of an ingest report, by which a retry is told.
  public static let generationFact = "generation"
  public static let firstChunkFact = "first_chunk"
  public static let chunksFact = "chunks"
  /// The generation before, which is not always the number before: a retry may have been given up.
  public static let previousFact = "previous_generation"
  public static let retriedFact = "retried"
  public static let retriedFetchedFact = "retried_fetched"
  /// Those whose failure was one that passes by itself.
  public static let retriedTransientFact = "retried_transient"
  /// `retried_transient.REASON`: the same by the reason that they were dropped for.
  public static let retriedTransientPrefix = "retried_transient."
  /// `retried.REASON`: pairs that had been dropped for the reason and are asked for again.
  public static let retriedReasonPrefix = "retried."
  /// The fact by which a list is told that another program has cut into chunks, which have gaps.
  public static let importedFact = "imported"
  /// The part of a chunk of a retry in such a fact, by which it is taken back where the chunk is
  /// given up.
  public static func fact(_ name: String, ofChunk chunk: Int) -> String {
    factPrefix(ofChunk: chunk) + name
  }
  static func factPrefix(ofChunk chunk: Int) -> String { "chunk.\(chunk)." }

  /// - Parameter reports: Of the completed ingest jobs, by generation.
  public init(ingest reports: [(chunk: Int, report: StageReport)]) {
    all = reports.compactMap { number, report in
      let facts = report.facts
      // The list's own report says nothing of generations, and has number 0.
      guard number == 0 || facts[Self.generationFact] == number else { return nil }
      let first = facts[Self.firstChunkFact] ?? 0
      let chunks = first..<first + (facts[Self.chunksFact] ?? 0)
      return Generation(
        number: number, chunks: chunks, retried: facts[Self.retriedFact] ?? 0,
        retriedFetched: facts[Self.retriedFetchedFact] ?? 0,
        retriedFetchedByChunk: Dictionary(
          uniqueKeysWithValues: chunks.compactMap { chunk in
            facts[Self.fact(Self.retriedFetchedFact, ofChunk: chunk)].map { (chunk, $0) }
          }))
    }.sorted { $0.number < $1.number }
  }

  /// Of all generations.
  public var chunkCount: Int { all.map(\.chunks.upperBound).max() ?? 0 }
  /// Pairs that count as fetched in more than one generation.
  ///
  /// The reports of chunks that were `givenUp` do not count.
  public func fetchedTwice(without givenUp: Set<Int>) -> Int {
    all.reduce(0) { sum, generation in
      sum + generation.retriedFetched
        - givenUp.reduce(0) { $0 + (generation.retriedFetchedByChunk[$1] ?? 0) }
    }
  }

  /// The chunks of retries among `chunks`.
  public func retries(in chunks: some Sequence<Int>) -> Set<Int> {
    Set(chunks.filter { number(ofChunk: $0) > 0 })
  }

  /// The generation of a chunk; 0 for one that none claims.
  public func number(ofChunk chunk: Int) -> Int {
    all.last { $0.chunks.contains(chunk) }?.number ?? 0
  }
}
