public import PipelineCore

/// The pairs that a plan judges, in a fixed order, as often as it asks.
///
/// What a plan decides does not hang on the order, nor on how the pairs are cut into batches. Where two pairs
/// have one uid and one score, and the last place of a share falls between them, the earlier one gets it.
public protocol FilterRows {
  /// The columns that there are, in any order.
  var columns: [String] { get }
  /// The same, with what helps where one is missed.
  var planColumns: PlanColumns { get }

  /// Gives all pairs, each time in the same order.
  ///
  /// - Parameters:
  ///   - columns: Those that are wanted, all of them in ``columns``; none when only uids are.
  ///   - body: Called with each batch; a few thousand pairs each are a good size.
  /// - Throws: What `body` throws, and what is wrong with the pairs' tables.
  func forEachBatch(columns: Set<String>, _ body: (FilterBatch) throws -> Void) throws
}

extension FilterRows {
  public var planColumns: PlanColumns { PlanColumns(columns) }
}

/// Some pairs: their uids, and texts and numbers by column.
public struct FilterBatch: Sendable {
  public var uids: [PairUID]
  /// Each with a value for every pair; a column that was asked for and is not here is null throughout.
  public var columns: [String: FilterColumn]
  public var count: Int { uids.count }

  public init(uids: [PairUID], columns: [String: FilterColumn] = [:]) {
    for (name, column) in columns {
      precondition(column.count == uids.count, "\(name): \(column.count) of \(uids.count) values")
    }
    self.uids = uids
    self.columns = columns
  }
}

/// The values of a column; nil is null.
public enum FilterColumn: Sendable {
  /// Whole numbers, too; true is 1 and false 0. NaN counts as null.
  case numbers([Double?])
  case texts([String?])

  public var count: Int {
    switch self {
    case .numbers(let values): values.count
    case .texts(let values): values.count
    }
  }

  /// The number of a pair, for a person to see.
  public func value(at index: Int) -> Double? { number(at: index) }

  /// The text of a pair, for a person to see.
  public func words(at index: Int) -> String? { text(at: index) }

  /// The number of a pair; text is read as one, as lists of CSV have it.
  func number(at index: Int) -> Double? {
    switch self {
    case .numbers(let values): values[index].flatMap { $0.isNaN ? nil : $0 }
    case .texts(let values): values[index].flatMap(Self.number)
    }
  }

  static func number(_ text: String) -> Double? {
    Double(text).flatMap { $0.isNaN ? nil : $0 }
  }

  /// The text of a pair; a whole number is written without a point.
  func text(at index: Int) -> String? {
    switch self {
    case .numbers(let values):
      values[index].flatMap { value in
        if value.isNaN { return nil }
        return Int64(exactly: value).map { String($0) } ?? "\(value)"
      }
    case .texts(let values): values[index]
    }
  }
}
