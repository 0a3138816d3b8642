import CrawlPolicy
import OriginLedger
import SeededRandom

/// Fetches URLs over HTTP: hundreds of transfers at a time on one thread.
///
/// Calls of `fetch` may overlap; they share the limits, the connections and the pauses that hosts
/// ask for. Redirects, retries and deadlines are the fetcher's affair: a request gives one result.
public final class Fetcher: Sendable {
  private let inbox: FetchInbox
  private let store: OriginStore?
  /// Why there is no store though there should be.
  private let storeProblem: String?

  /// Lookups at a time; each waits for a name server most of its time.
  private static let resolverThreads = 64

  /// Starts the thread.
  ///
  /// Raises the process's soft limit on open files where `concurrency` needs it.
  /// - Parameters:
  ///   - options: Bounds and manners.
  ///   - resolver: Looks names up, on threads of its own; libcurl is given addresses only.
  ///   - sniff: Judges the first bytes of each body, so that what is no picture ends early; nil
  ///     takes all bodies.
  /// - Throws: `FetchOptionsError`, `AddressRangeError`, `CrawlPolicyError` or `FetcherError`; a cache of
  ///   origins that cannot be used is told by `originCacheProblem` only.
  public init(
    options: FetchOptions, resolver: any HostResolver = SystemResolver(), sniff: BodySniff? = nil
  ) throws {
    try options.validate()
    let proxy = try options.proxy.map(ProxyServer.init)
    let source = try options.sourceAddress.map(SourceAddress.init)
    let addressGuard = try AddressGuard(allowing: options.allowAddresses)
    let policy = try CrawlPolicy(options.policy)
    // Open and idle connections, resolver sockets, and what the rest of the process has open.
    try DescriptorLimit.raise(to: 3 * options.concurrency + 128)
    let rates = try RateTable(path: options.sharedRates, longest: options.longestSpacing)
    let hosts = try SharedHosts(path: options.sharedHosts)
    let inbox = try FetchInbox()
    // Tried here once, so that a machine that cannot is told now and not by an empty result.
    _ = try CurlMulti(connections: 1, wakeup: inbox.wakeup)
    let pool = try ResolverPool(
      resolver: resolver, limit: Self.resolverThreads, wakeup: inbox.wakeup)
    var store: OriginStore?
    var storeProblem: String?
    if let path = options.originCache {
      // It is a cache, without which origins are asked more often.
      do {
        store = try OriginStore(path: path, agentToken: options.policy.agentToken) { answer in
          _ = inbox.post(.origin(answer))  // refused when nobody waits for it any more
        }
      } catch let error as OriginLedgerError { storeProblem = error.description }
    }
    var generator = SystemRandomNumberGenerator()
    let seed = generator.next()
    try LoopThread.start { [store] in
      let random = RandomStream(seed: seed)
      defer { store?.close() }
      do throws(FetcherError) {
        let settings = try CurlSettings(
          options: options, addressGuard: addressGuard, proxy: proxy, source: source)
        FetchLoop(
          settings: settings, resolvers: pool, sniff: sniff, rates: rates, hosts: hosts,
          policy: policy,
          store: store, inbox: inbox, random: random
        ).run()
      } catch {
        inbox.closeUnserved(error)
      }
    }
    self.inbox = inbox
    self.store = store
    self.storeProblem = storeProblem
  }

  /// The first problem with the file `originCache`, if there was one.
  ///
  /// Origins are then asked by this fetcher itself, though other processes may know them.
  public var originCacheProblem: String? { storeProblem ?? store?.problem }

  deinit { inbox.close() }

  /// Fetches all and returns when each request has its result, or when the task is cancelled.
  ///
  /// - Parameters:
  ///   - requests: Any number; memory grows with it, so hand over chunks.
  ///   - onResult: Called on the fetcher's thread, once per request, in order of completion; it
  ///     must not block. Bodies count against `bodyBudget` until the results
  ///     are dropped. After a cancellation, or after `shutDown`, requests without a result
  ///     get none.
  /// - Throws: `FetcherError` where this machine cannot go on, such as with a full disk for bodies;
  ///   requests without a result get none, and later calls fail likewise.
  public func fetch(
    _ requests: [FetchRequest], onResult: @escaping @Sendable (FetchResult) -> Void
  ) async throws(FetcherError) {
    guard !requests.isEmpty else { return }
    let id = inbox.newID()
    let cancellation = Cancellation()
    let problem = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let submission = Submission(
          id: id, requests: requests, onResult: onResult, continuation: continuation,
          cancellation: cancellation)
        if !inbox.post(.submit(submission)) { continuation.resume(returning: inbox.problem) }
      }
    } onCancel: {
      cancellation.cancel()
      _ = inbox.post(.cancel(id: id))  // refused only when there is nothing left to cancel
    }
    if let problem { throw problem }
  }

  /// Stops the thread; transfers under way end without a result, and later calls do nothing.
  public func shutDown() { inbox.close() }
}
