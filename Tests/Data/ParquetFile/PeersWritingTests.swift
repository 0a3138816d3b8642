import Compression
import Foundation
import ParquetFile
import SeededRandom
import TestTools
import Testing

/// Files of random rows from here, read and checked by pyarrow and by `Fixtures/check_file.py`.
@Suite(.peers("pyarrow"))
struct PeersWritingTests {
  static let seed: UInt64 = 20_261_124

  @Test(
    "pyarrow reads what is written: values, nulls, lists, metadata, statistics, page index",
    arguments: 0..<13)
  func writesForPyarrow(number: Int) async throws {
    try await ScratchFolder.use { folder in
      var random = RandomStream(seed: Self.seed, path: UInt64(number))
      let codec = [nil, BlockCodec.snappy, .zstd, .gzip, .lz4Raw][number % 5]
      let count = number == 12 ? 0 : [1, 100, 2_000, number == 3 ? 21_000 : 500][number % 4]
      let rowsPerGroup = [20_500, 70_000, 1_000][number % 3]
      let nulls = [0, 0.2, 1][random.integer(below: 3)]
      let columns = RandomRows.columns(isOptional: number % 2 == 0)
      let values = columns.map { column in
        RandomRows.values(column, count: count, nulls: column.isOptional ? nulls : 0, &random)
      }
      let metadata = number == 0 ? [] : [("stage", "score"), ("ünï", "日本\n")]
      let path = folder + "/rows.parquet"
      let writer = try ParquetWriter(
        path: path, columns: columns, codec: codec, rowsPerGroup: rowsPerGroup, metadata: metadata)
      try writer.append(values)
      try writer.finish()

      var groups = [Int](repeating: rowsPerGroup, count: count / rowsPerGroup)
      if count % rowsPerGroup > 0 { groups.append(count % rowsPerGroup) }
      let names = columns.map(\.name)
      let codecName = [nil: "UNCOMPRESSED", BlockCodec.lz4Raw: "LZ4"][codec]
      let expected: [String: Any] = [
        "columns": Dictionary(
          uniqueKeysWithValues: zip(names, values.map { $0.map(Spelling.json) })),
        "metadata": Dictionary(uniqueKeysWithValues: metadata), "groups": groups, "names": names,
        "codec": codecName ?? codec?.rawValue.uppercased() ?? "",
        "optional": Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.isOptional) }),
      ]
      let json = folder + "/expected.json"
      try JSONSerialization.data(withJSONObject: expected).write(to: URL(fileURLWithPath: json))
      let problems = try await Peers.peer(["check", path, json])
      #expect(problems == "", "seed \(Self.seed), file \(number)")
    }
  }
}

/// Random values of the types that pyarrow and Pairloom give the same form.
enum RandomRows {
  static func columns(isOptional: Bool) -> [ParquetColumn] {
    let types: [(String, ParquetType)] = [
      ("string", .string), ("url", .string), ("long", .string), ("json", .json), ("bytes", .bytes),
      ("fixed", .fixedBytes(7)), ("uuid", .uuid), ("bool", .bool), ("int8", .int8),
      ("int16", .int16), ("int32", .int32), ("int64", .int64), ("uint8", .uint8),
      ("uint16", .uint16), ("uint32", .uint32), ("uint64", .uint64), ("float", .float),
      ("double", .double), ("rising", .int64), ("falling", .int32), ("label", .string),
    ]
    return types.map { ParquetColumn($0.0, $0.1, isOptional: isOptional) }
      + types.filter {
        ["string", "int32", "int64", "float", "double", "bool", "bytes"].contains($0.0)
      }
      .map { ParquetColumn("list of " + $0.0, $0.1, isOptional: isOptional, isList: true) }
  }

  static func values(
    _ column: ParquetColumn, count: Int, nulls: Double, _ random: inout RandomStream
  ) -> [ParquetValue] {
    let pool = column.name == "label" ? 5 : column.name == "int64" ? 300 : count
    let drawn = (0..<max(1, pool)).map { value(column, $0, &random) }
    return (0..<count).map { row in
      if random.uniform() < nulls { return .null }
      guard column.isList else {
        return pool == count ? drawn[row] : drawn[random.integer(below: pool)]
      }
      return .list(
        (0..<random.integer(below: 4)).map { _ in
          random.uniform() < nulls / 2 ? .null : drawn[random.integer(below: pool)]
        })
    }
  }

  private static func value(
    _ column: ParquetColumn, _ row: Int, _ random: inout RandomStream
  ) -> ParquetValue {
    let bits = Int64(bitPattern: random.next())
    switch column.type {
    case .bool: return .bool(bits & 7 == 0)
    case .int8: return .int(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: return .int(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32:
      return .int(column.name == "falling" ? Int64(-row) : Int64(Int32(truncatingIfNeeded: bits)))
    case .uint8: return .int(bits & 0xFF)
    case .uint16: return .int(bits & 0xFFFF)
    case .uint32: return .int(bits & 0xFFFF_FFFF)
    case .uint64:
      let value = UInt64(bitPattern: bits)
      return Int64(exactly: value).map { .int($0) } ?? .text("\(value)")
    case .int64: return .int(column.name == "rising" ? Int64(row * 3) : bits)
    case .float:
      let special: [Float] = [.nan, .infinity, -.infinity, 0, -0.0]
      return .float(bits & 3 == 0 ? special[random.integer(below: 5)] : Float(random.normal()))
    case .double:
      let special: [Double] = [.nan, .infinity, -.infinity, 0, -0.0]
      return .double(bits & 3 == 0 ? special[random.integer(below: 5)] : random.normal())
    case .bytes: return .bytes(bytes(random.integer(below: 90), &random))
    case .fixedBytes(let count): return .bytes(bytes(count, &random))
    case .uuid:
      let text = bytes(16, &random).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
      return .text(
        parts.map { text.dropFirst($0.lowerBound).prefix($0.count) }.joined(separator: "-"))
    case .json: return .text("{\"row\": \(bits & 7)}")
    default:
      if column.name == "url" { return .text("https://example.org/\(row)/\(bits & 0xFFFF).jpg") }
      let letters = ["a", "z", "é", "日本", "🐈", "\u{D7FF}", "\u{10FFFF}", " ", "\0", "\u{7F}"]
      let length = column.name == "long" ? random.integer(below: 700) : random.integer(below: 8)
      let first = letters[random.integer(below: letters.count)]
      // Long ones of one letter, so that cutting bounds meets characters that have no next.
      return .text(
        (0..<length).map { _ in
          column.name == "long" ? first : letters[random.integer(below: letters.count)]
        }.joined())
    }
  }

  private static func bytes(_ count: Int, _ random: inout RandomStream) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) | (count > 64 ? 0xF0 : 0) }
  }
}
