import ContentHashing
import DurableFiles
import Glibc
import ParquetFile

/// What one process knows of the work on shards.
struct ScoringWork {
  private let shards: [String]
  /// The size of each shard; 0 where it is not there.
  private let sizes: [Int]
  var identities: [Int: ShardIdentity] = [:]
  /// Shards that cannot be read, with the reason.
  var unread: [Int: String] = [:]
  var times = ScoringTimes()
  var pairsHere = 0
  var redone = 0
  private(set) var hasKinds = false
  private var done: Set<Int> = []
  private var bytesDone = 0
  /// Of tables that were there before this process made its first.
  private var bytesFound = 0
  private var hasMade = false
  private var madeHere = 0
  private var sum = ShardScoringOutcome()
  private var scores: [Float] = []
  private let begin = ContinuousClock.now

  init(_ shards: [String]) throws {
    self.shards = shards
    sizes = try shards.map { DurableFile.exists($0) ? try DurableFile.size(of: $0) : 0 }
  }

  /// The same knowledge of the shards and of this process, and none of tables.
  func withoutTables() throws -> ScoringWork {
    var work = try ScoringWork(shards)
    work.identities = identities
    work.times = times
    work.pairsHere = pairsHere
    work.redone = redone
    work.madeHere = madeHere
    return work
  }

  func isOpen(_ shard: Int) -> Bool { !done.contains(shard) && unread[shard] == nil }

  var pairs: Int { sum.pairs }

  /// Takes note of a table that another call or process has made.
  mutating func found(_ shard: Int, _ rows: ScoreRows?) {
    if !hasMade { bytesFound += sizes[shard] }
    finish(shard, rows)
  }

  mutating func made(_ shard: Int, _ rows: ScoreRows) {
    hasMade = true
    madeHere += 1
    finish(shard, rows)
  }

  private mutating func finish(_ shard: Int, _ rows: ScoreRows?) {
    done.insert(shard)
    bytesDone += sizes[shard]
    if let rows { add(rows) }
  }

  mutating func add(_ rows: ScoreRows) {
    sum.add(rows)
    scores += rows.scores
    hasKinds = hasKinds || rows.hasKinds
  }

  /// SHA-256 over the shards' digests in their order.
  var digest: String {
    let lines = shards.indices.map { "\(identities[$0]?.sha256 ?? "")\n" }.joined()
    return ContentHash.sha256Hex(Array(lines.utf8))
  }

  /// How far it is while a share of a shard is done.
  func progress(in shard: Int, share: Double) -> ScoringProgress {
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    let now = Double(bytesDone) + share * Double(sizes[shard])
    let gained = now - Double(bytesFound)
    let left = Double(sizes.reduce(0, +)) - now
    return ScoringProgress(
      shardsDone: done.count, shards: shards.count, pairs: pairsHere,
      pairsPerSecond: seconds > 0 ? Double(pairsHere) / seconds : 0,
      secondsLeft: gained > 0 ? left / gained * seconds : nil)
  }

  func outcome() -> ShardScoringOutcome {
    var outcome = sum
    outcome.shards = shards.count
    outcome.pairsHere = pairsHere
    outcome.redone = redone
    outcome.made = madeHere
    outcome.seconds = times
    outcome.unread = Dictionary(unread.map { (shards[$0.key], $0.value) }) { first, _ in first }
    outcome.scores = ScoreSpread(scores)
    return outcome
  }
}

extension ScoreRows {
  /// Nil where there is no table, or a damaged one.
  static func ifReadable(_ path: String) throws -> ScoreRows? {
    guard DurableFile.exists(path) else { return nil }
    do {
      return try ScoreRows(path)
    } catch let error as ParquetError {
      switch error.problem {
      case .damaged, .notParquet: return nil
      // Another process has just made one of all tables.
      case .file(let cause) where cause.errorNumber == ENOENT: return nil
      default: throw error
      }
    }
  }
}
