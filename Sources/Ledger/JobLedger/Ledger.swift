/// The durable table of a run's jobs: who does what, and what came of it.
///
/// The ledger row is the truth about a chunk. A stage publishes its files first;
/// ``complete(_:counts:newJobs:now:)`` then settles the job and frees what waited for it. Every method
/// is one transaction, durable when it returns, and may be called from many tasks and processes at a
/// time. Times are milliseconds since 1970 that the caller passes in.
///
/// ``SQLiteLedger`` keeps a run's ledger in a file; the tests' conformance suite holds every back end
/// to the same promises.
public protocol Ledger: Sendable {
  /// Where the ledger is, for messages.
  var path: String { get }

  /// Binds the ledger to a configuration, or checks that it is bound to the same.
  ///
  /// - Throws: ``LedgerError/configurationChanged(path:differences:)`` with a line per differing key.
  func bind(configuration: [(key: String, value: String)], now: Int) async throws(LedgerError)

  /// Enters jobs that are not there yet; dependencies may name earlier ones of the same call.
  func add(_ jobs: [NewJob], now: Int) async throws(LedgerError)
  /// Enters jobs together with a note, unless there is work left or one of them is known.
  func addWhenIdle(_ jobs: [NewJob], note: (key: String, value: String), now: Int)
    async throws(LedgerError) -> Bool

  /// Takes the claimable job of the highest rank, then the lowest chunk, among `stages`.
  func claim(stages: [String], owner: LeaseOwner, duration: Int, now: Int)
    async throws(LedgerError) -> Lease?
  /// Puts the end of a lease off: the heartbeat.
  func renew(_ lease: Lease, duration: Int, now: Int) async throws(LedgerError) -> Lease
  /// Settles a job whose outputs are durable, and frees what waited for it.
  func complete(_ lease: Lease, counts: String, newJobs: [NewJob], now: Int)
    async throws(LedgerError)
  /// Records a failed attempt: the job is tried again after a pause, or quarantined.
  @discardableResult
  func fail(_ lease: Lease, error: String, isFinal: Bool, now: Int)
    async throws(LedgerError) -> JobState
  /// Hands a lease back unused.
  func release(_ lease: Lease, now: Int) async throws(LedgerError)
  /// Frees jobs whose lease has expired, and those whose owner is known to be dead.
  @discardableResult
  func rescue(now: Int, isAlive: @Sendable (LeaseOwner) -> Bool?)
    async throws(LedgerError) -> [JobName]

  /// Hands completed jobs back, so that they are done again.
  @discardableResult
  func reopen(_ names: [JobName]) async throws(LedgerError) -> [JobName]
  /// Replaces what completed jobs have counted, all in one transaction.
  func revise(_ counts: [(name: JobName, counts: String)]) async throws(LedgerError)

  /// Jobs by stage and state.
  func tally() async throws(LedgerError) -> [String: [JobState: Int]]
  /// Jobs of these stages, of all when nil, that have not settled.
  func unsettledCount(stages: [String]?) async throws(LedgerError) -> Int
  /// The sums of every integer in the counts of completed jobs, by stage and JSON path (`$.kept`).
  func totals() async throws(LedgerError) -> [String: [String: Int]]
  /// The counts of the completed jobs of a stage, by chunk.
  func counts(stage: String) async throws(LedgerError) -> [(chunk: Int, counts: String)]
  /// The counts of one completed job; nil when it has not completed.
  func counts(of name: JobName) async throws(LedgerError) -> String?
  /// The chunks of these stages whose jobs have settled.
  func settledChunks(stages: [String]) async throws(LedgerError) -> [String: Set<Int>]
  /// The highest chunk that a stage has a job for; nil when it has none.
  func lastChunk(stage: String) async throws(LedgerError) -> Int?
  /// The state of one job, nil when it was never entered.
  func state(of name: JobName) async throws(LedgerError) -> JobState?
  /// Every attempt at a job, oldest first; at all jobs when `name` is nil.
  func history(of name: JobName?) async throws(LedgerError) -> [JobAttempt]
  /// The quarantined jobs, each with the last error that it met; nil for one that only needed another.
  func quarantined() async throws(LedgerError) -> [(name: JobName, error: String?)]

  /// Begins a session of work and gives its number, unless another host works on the ledger.
  func beginSession(host: String, pid: Int, now: Int) async throws(LedgerError) -> Int
  /// Records that a session still works.
  func touchSession(_ id: Int, now: Int) async throws(LedgerError)
  /// Ends a session, so that another host may begin one at once.
  func endSession(_ id: Int, now: Int) async throws(LedgerError)
  /// Milliseconds that sessions have worked, overlaps counted twice.
  func workedMilliseconds() async throws(LedgerError) -> Int

  /// A note of the run, such as the name of its scorer.
  func note(_ key: String) async throws(LedgerError) -> String?
  func setNote(_ key: String, _ value: String) async throws(LedgerError)

  /// Enters jobs as they stood, with the run's configuration and notes, into a ledger without jobs.
  func restore(
    _ jobs: [RestoredJob], configuration: [(key: String, value: String)],
    notes: [(key: String, value: String)], now: Int
  ) async throws(LedgerError)
  /// What the ledger is bound to and all its notes, each sorted by key.
  func everything() async throws(LedgerError) -> (
    configuration: [(key: String, value: String)], notes: [(key: String, value: String)]
  )

  /// What the ledger is bound to, in the order of the keys; empty before it is bound.
  func configuration() async throws(LedgerError) -> [(key: String, value: String)]
  /// Binds the ledger to another configuration and hands every job of some stages back.
  func redo(
    stages: [String], plan: [NewJob]?, configuration: [(key: String, value: String)],
    notes: [(key: String, value: String)], now: Int
  ) async throws(LedgerError) -> Int

  /// The stories of some jobs; one that was never entered has none.
  func stories(of names: [JobName]) async throws(LedgerError) -> [JobStory]

  /// The given-up jobs, by chunk and rank.
  func quarantine() async throws(LedgerError) -> [QuarantinedJob]
  /// Hands given-up jobs back, and what must be done again with them.
  func release(_ release: JobRelease, now: Int) async throws(LedgerError)
    -> (released: [JobName], reopened: [JobName])
  /// What goes on, and what was completed of late by the processes that work.
  func progress(since: Int, now: Int) async throws(LedgerError) -> LedgerProgress
  /// How often the configuration or a note has been changed; the later of two states has more.
  func revision() async throws(LedgerError) -> Int
  /// The chunks whose job of a stage was given up.
  func givenUpChunks(stage: String) async throws(LedgerError) -> Set<Int>
  /// The chunks of a stage whose jobs are completed.
  func completedChunks(stage: String) async throws(LedgerError) -> Set<Int>
  /// Moves what stands in the ledger's log into the file, and empties the log where nobody reads it.
  func checkpoint() async throws(LedgerError)

  /// What is wrong with the ledger in itself, in words; nothing where it is sound.
  ///
  /// Not thorough it looks at what can be told fast, before a run begins.
  func faults(isThorough: Bool) async throws(LedgerError) -> [String]
}

extension Ledger {
  public func complete(_ lease: Lease, counts: String, now: Int) async throws(LedgerError) {
    try await complete(lease, counts: counts, newJobs: [], now: now)
  }

  @discardableResult
  public func fail(_ lease: Lease, error: String, now: Int) async throws(LedgerError) -> JobState {
    try await fail(lease, error: error, isFinal: false, now: now)
  }

  /// Frees jobs whose lease has expired, and those whose owner has died on this host.
  @discardableResult
  public func rescue(now: Int) async throws(LedgerError) -> [JobName] {
    try await rescue(now: now) { ProcessIdentity.isAlive($0) }
  }

  /// Begins a session of this process.
  public func beginSession(now: Int) async throws(LedgerError) -> Int {
    try await beginSession(
      host: ProcessIdentity.host(), pid: ProcessIdentity.processID, now: now)
  }

  /// Hands every job of some stages back, with the dependencies that they have.
  public func redo(
    stages: [String], configuration: [(key: String, value: String)],
    notes: [(key: String, value: String)], now: Int
  ) async throws(LedgerError) -> Int {
    try await redo(
      stages: stages, plan: nil, configuration: configuration, notes: notes, now: now)
  }

  public func unsettledCount() async throws(LedgerError) -> Int {
    try await unsettledCount(stages: nil)
  }

  public func history() async throws(LedgerError) -> [JobAttempt] { try await history(of: nil) }
}
