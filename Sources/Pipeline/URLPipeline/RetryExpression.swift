public import JobLedger

extension PipelineRun {
  /// The expression by which a retry chose its rows; nil for a generation that is none.
  ///
  /// - Parameters:
  ///   - generation: The retry's number, from 1.
  ///   - ledger: The run's.
  /// - Returns: SQL over ``FetchTable/columns``.
  /// - Throws: `LedgerError`.
  public static func retryExpression(of generation: Int, in ledger: any Ledger) async throws
    -> String?
  {
    try await ledger.note(RunNotes.expressionNote(generation))
  }
}
