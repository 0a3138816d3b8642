import PipelineCore
import Synchronization
import WorkerThreads

/// Judges pairs by a plan.
///
/// One pass over the pairs evaluates every test that goes by a pair alone, two bits a pair and test, keeps 8
/// bytes a pair for each share, and counts the entries of balances. A share is then cut exactly among these 8
/// bytes. A further pass over uids is made where the last place of a share falls among equal values, and over
/// captions for each balance, two where it counts over what is left.
public struct FilterEvaluator {
  private let plan: BoundPlan
  private let rows: any FilterRows
  private let threads: Int
  private let onProgress: (Int) throws -> Void
  /// Of each leaf that goes by a pair alone.
  private var truths: [PairTruths]
  /// Of each share.
  private var keys: [[UInt64]]
  /// Of each balance: how many captions hold each entry.
  private var counts: [[Int]]
  private let balances: [Int: PreparedBalance]
  private var pairs = 0

  /// - Parameters:
  ///   - plan: The rules.
  ///   - rows: The pairs.
  ///   - threads: Cores to use; the outcome is the same for any number.
  ///   - onProgress: Told the pairs that were read, over all passes.
  /// - Returns: What is kept, and what each rule does.
  /// - Throws: ``FilterPlanError`` where a column is not there; what `rows` and `onProgress` throw.
  public static func evaluate(
    _ plan: FilterPlan, over rows: any FilterRows, threads: Int = 1,
    onProgress: (Int) throws -> Void = { _ in }
  ) throws -> FilterOutcome {
    try withoutActuallyEscaping(onProgress) { onProgress in
      var evaluator = FilterEvaluator(
        try BoundPlan(plan, columns: rows.planColumns), rows, threads, onProgress)
      try evaluator.measure()
      return try evaluator.decide()
    }
  }

  private init(
    _ plan: BoundPlan, _ rows: any FilterRows, _ threads: Int,
    _ onProgress: @escaping (Int) throws -> Void
  ) {
    self.plan = plan
    self.rows = rows
    self.threads = threads
    self.onProgress = onProgress
    truths = plan.leaves.map { _ in PairTruths() }
    keys = plan.leaves.map { _ in [] }
    var balances: [Int: PreparedBalance] = [:]
    for (number, leaf) in plan.leaves.enumerated() {
      if case .balance(let column, let balance) = leaf {
        balances[number] = PreparedBalance(balance, column: column)
      }
    }
    self.balances = balances
    counts = plan.leaves.indices.map { number in
      [Int](repeating: 0, count: balances[number]?.entryCount ?? 0)
    }
  }

  private mutating func measure() throws {
    let columns = plan.columns
    var pairs = 0
    var (truths, keys, counts) = (truths, keys, counts)
    (self.truths, self.keys, self.counts) = ([], [], [])
    try rows.forEachBatch(columns: columns) { batch in
      for (number, leaf) in plan.leaves.enumerated() {
        switch leaf {
        case .local(let names, let holds):
          let columns = names.map { batch.column($0) }
          for slice in slices(of: batch, { holds(columns, $0) }) {
            for truth in slice { truths[number].append(truth) }
          }
        case .top(let name, _):
          let column = batch.column(name)
          for index in 0..<batch.count {
            keys[number].append(TopSelection.key(column.number(at: index)))
          }
        case .balance:
          guard let balance = balances[number] else { continue }
          let column = batch.column(balance.column)
          for slice in slices(of: batch, { column.text(at: $0).map(balance.matches) }) {
            for case let entries? in slice {
              for entry in entries { counts[number][entry] += 1 }
            }
          }
        }
      }
      pairs += batch.count
      try onProgress(batch.count)
    }
    (self.truths, self.keys, self.counts, self.pairs) = (truths, keys, counts, pairs)
  }

  /// What `body` gives for each pair of a batch, in order, made on all threads.
  private func slices<T: Sendable>(
    of batch: FilterBatch, _ body: @escaping @Sendable (Int) -> T
  ) -> [[T]] {
    let length = 2_048
    let count = (batch.count + length - 1) / length
    let results = Mutex([[T]](repeating: [], count: count))
    let total = batch.count
    Parallel.forEach(count, threads: threads) { slice in
      let made = (slice * length..<min(total, (slice + 1) * length)).map { body($0) }
      results.withLock { $0[slice] = made }
    }
    return results.withLock { $0 }
  }

  private func decide() throws -> FilterOutcome {
    let all = PairBits(repeating: true, count: pairs)
    var kept = all
    var passed: [PairBits] = []
    var yields: [FilterOutcome.Yield] = []
    for rule in plan.rules {
      let truths = try truths(of: rule.node, among: rule.goesByKept ? kept : all, isExact: true)
      let alone =
        rule.goesByKept ? try self.truths(of: rule.node, among: all, isExact: false) : truths
      var threshold: Double?
      if let number = rule.top, case .top(_, let top) = plan.leaves[number] {
        threshold = top.selection(keys[number], in: rule.goesByKept ? kept : all)
          .map { TopSelection.value($0.threshold) }
      }
      kept = kept & truths.isTrue
      passed.append(kept)
      yields.append(
        FilterOutcome.Yield(
          name: rule.name, alone: alone.isTrue.setCount, remaining: kept.setCount,
          unknown: truths.unknownCount, threshold: threshold))
    }
    return FilterOutcome(pairs: pairs, yields: yields, skipped: plan.skipped, passed: passed)
  }

  /// - Parameters:
  ///   - node: What is tested.
  ///   - population: The pairs that shares and balances of what is left count over.
  ///   - isExact: False where only numbers are wanted, not which of equal pairs.
  /// - Returns: A truth for each pair.
  /// - Throws: What the rows throw.
  private func truths(
    of node: BoundPlan.Node, among population: PairBits, isExact: Bool
  ) throws -> PairTruths {
    switch node {
    case .not(let node): return !(try truths(of: node, among: population, isExact: isExact))
    case .all(let nodes):
      let all = PairBits(repeating: true, count: pairs)
      return try nodes.reduce(PairTruths(isTrue: all, isFalse: PairBits(count: pairs))) {
        $0 & (try truths(of: $1, among: population, isExact: isExact))
      }
    case .any(let nodes):
      let all = PairBits(repeating: true, count: pairs)
      return try nodes.reduce(PairTruths(isTrue: PairBits(count: pairs), isFalse: all)) {
        $0 | (try truths(of: $1, among: population, isExact: isExact))
      }
    case .leaf(let number):
      switch plan.leaves[number] {
      case .local: return truths[number]
      case .top(_, let top):
        let all = PairBits(repeating: true, count: pairs)
        return try share(
          top, keys[number], among: top.of == .kept ? population : all, isExact: isExact)
      case .balance:
        guard let balance = balances[number] else { preconditionFailure("no balance \(number)") }
        return try thinned(balance, counts[number], among: population)
      }
    }
  }

  private func share(
    _ top: TopFraction, _ keys: [UInt64], among population: PairBits, isExact: Bool
  ) throws -> PairTruths {
    let cut = top.selection(keys, in: population)
    var chosen: PairBits?
    if let cut, cut.ofTied < cut.tied {
      var bits = PairBits(count: pairs)
      for index in try tied(keys, cut, population, isExact: isExact).prefix(cut.ofTied) {
        bits[index] = true
      }
      chosen = bits
    }
    var truths = PairTruths()
    for (index, key) in keys.enumerated() {
      guard key != 0 else {
        truths.append(nil)
        continue
      }
      guard let cut else {
        truths.append(false)
        continue
      }
      truths.append(
        key > cut.threshold || key == cut.threshold && chosen?[index] ?? true)
    }
    return truths
  }

  /// The pairs of `population` at the cut, by their uids.
  private func tied(
    _ keys: [UInt64], _ cut: TopSelection, _ population: PairBits, isExact: Bool
  ) throws -> [Int] {
    let tied = keys.indices.filter { keys[$0] == cut.threshold && population[$0] }
    guard isExact else { return tied }
    var named: [(uid: PairUID, index: Int)] = []
    var (begin, next) = (0, 0)
    try rows.forEachBatch(columns: []) { batch in
      while next < tied.count, tied[next] < begin + batch.count {
        named.append((batch.uids[tied[next] - begin], tied[next]))
        next += 1
      }
      begin += batch.count
      try onProgress(batch.count)
    }
    named.sort { ($0.uid, $0.index) < ($1.uid, $1.index) }
    return named.map(\.index)
  }

  private func thinned(
    _ balance: PreparedBalance, _ counts: [Int], among population: PairBits
  ) throws -> PairTruths {
    var counts = counts
    if balance.rule.of == .kept, population.setCount < pairs {
      counts = [Int](repeating: 0, count: counts.count)
      var begin = 0
      try rows.forEachBatch(columns: [balance.column]) { batch in
        let (column, start) = (batch.column(balance.column), begin)
        for slice in slices(
          of: batch,
          { population[start + $0] ? column.text(at: $0).map(balance.matches) : nil })
        {
          for case let entries? in slice { for entry in entries { counts[entry] += 1 } }
        }
        begin += batch.count
        try onProgress(batch.count)
      }
    }
    var truths = PairTruths()
    let known = counts
    try rows.forEachBatch(columns: [balance.column]) { batch in
      let column = batch.column(balance.column)
      for slice in slices(
        of: batch,
        { index in
          column.text(at: index).map { balance.keeps($0, uid: batch.uids[index], counts: known) }
        })
      {
        for truth in slice { truths.append(truth) }
      }
      try onProgress(batch.count)
    }
    return truths
  }
}

/// A balance with its entries in a tree.
private struct PreparedBalance: Sendable {
  let rule: CaptionBalance
  let column: String
  private let matcher: EntryMatcher
  private let hashes: [UInt64]
  var entryCount: Int { hashes.count }

  init(_ rule: CaptionBalance, column: String) {
    self.rule = rule
    self.column = column
    matcher = EntryMatcher(rule.metadata.entries)
    hashes = rule.metadata.entries.map(MetadataEntries.hash)
  }

  func matches(_ caption: String) -> [Int] { matcher.matches(in: caption) }

  func keeps(_ caption: String, uid: PairUID, counts: [Int]) -> Bool {
    matches(caption).contains { entry in
      CaptionBalance.fires(
        seed: rule.seed, uid, hash: hashes[entry], count: counts[entry], t: rule.t)
    }
  }
}

extension FilterBatch {
  /// A column, null throughout where it is not there.
  func column(_ name: String) -> FilterColumn {
    columns[name] ?? .texts([String?](repeating: nil, count: count))
  }
}
