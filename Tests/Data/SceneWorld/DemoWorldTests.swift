import Foundation
import SceneWorld
import Testing

@Suite struct DemoWorldTests {
  let world = DemoWorld(rows: 6000, seed: 1)

  @Test("The same rows and seed give the same world, another seed another")
  func determinism() throws {
    let again = DemoWorld(rows: 6000, seed: 1)
    #expect(world.rows == again.rows)
    #expect(world.rows != DemoWorld(rows: 6000, seed: 2).rows)
    for id in stride(from: 0, to: 6000, by: 61) {
      #expect(try world.answer(row: id, request: 0) == again.answer(row: id, request: 0))
    }
  }

  @Test("6,000 rows hold the stated number of each fault")
  func mix() {
    let counts = Dictionary(grouping: world.rows, by: \.fault).mapValues(\.count)
    #expect(
      counts == [
        .none: 5400, .missing: 120, .heals500: 48, .heals503: 48, .heals429: 24, .truncated: 60,
        .corrupt: 60, .wrongType: 60, .duplicateBytes: 120, .duplicateURL: 60,
      ])
    let pairs = world.rows.filter(\.fault.expected.isPair)
    // 15 % of 5,520.
    #expect(pairs.count { !$0.isMatched } == 828)
    #expect(world.rows.allSatisfy { $0.isMatched || $0.fault.expected.isPair })
    let jpeg = world.rows.count { $0.format == .jpeg }
    let webp = world.rows.count { $0.format == .webp }
    // Five standard deviations of a draw of 6,000 are 190 and 139.
    #expect(abs(jpeg - 3600) < 190 && abs(webp - 900) < 138)
  }

  @Test("A caption is one of the scene's own exactly when the row is matched")
  func captions() {
    let unseen = SceneWorld.heldOutCombinations.map { "\($0.colour) \($0.kind)" }
    for row in world.rows {
      #expect(row.scene.captions.contains(row.caption) == row.isMatched)
      #expect(!unseen.contains { row.caption.contains($0) }, "\(row.caption)")
      #expect(
        row.scene.shapes.allSatisfy {
          !SceneWorld.heldOutCombinations.contains($0.combination)
        })
    }
  }

  @Test("A duplicate repeats an earlier whole row; no other two rows share a URL")
  func duplicates() throws {
    for row in world.rows {
      #expect((row.duplicateOf != nil) == [.duplicateBytes, .duplicateURL].contains(row.fault))
      guard let source = row.duplicateOf else { continue }
      #expect(source < row.id && world.rows[source].fault == .none)
      #expect(row.scene == world.rows[source].scene)
      #expect((row.path == world.rows[source].path) == (row.fault == .duplicateURL))
      if row.fault == .duplicateBytes {
        #expect(
          try world.answer(row: row.id, request: 0) == world.answer(row: source, request: 0))
      }
    }
    let paths = world.rows.filter { $0.fault != .duplicateURL }.map(\.path)
    #expect(Set(paths).count == paths.count)
  }

  @Test("A small world, even of one row, is sound")
  func small() {
    for count in 0...40 {
      let rows = DemoWorld(rows: count, seed: 3).rows
      #expect(rows.count == count)
      #expect(rows.allSatisfy { ($0.duplicateOf ?? -1) < $0.id })
    }
  }

  @Test("The list is CSV with quoted captions, the truth has a JSON line per row")
  func files() throws {
    let lines = world.listCSV(origin: "http://h:1").split(separator: "\n")
    #expect(lines.count == 6001 && lines[0] == "id,url,caption")
    for row in world.rows {
      let caption = row.caption.contains(",") ? "\"\(row.caption)\"" : row.caption
      #expect(lines[row.id + 1] == "\(row.id),http://h:1\(row.path),\(caption)")
    }
    let truth = try world.truthJSONL(origin: "http://h:1").split(separator: "\n").map {
      try JSONDecoder().decode(DemoTruth.self, from: Data($0.utf8))
    }
    #expect(truth == world.rows.map { DemoTruth($0, origin: "http://h:1") })
    let first = try #require(truth.first { $0.fault == .duplicateBytes })
    #expect(first.expect == .duplicateBytes && first.url.hasPrefix("http://h:1/pictures/"))
  }

  @Test("A path names its row, and nothing else does")
  func paths() {
    for row in world.rows {
      #expect(
        world.row(at: row.path)
          == (row.duplicateOf != nil && row.fault == .duplicateURL
            ? row.duplicateOf : row.id))
    }
    for path in [
      "", "/", "/pictures/", "/pictures/006000.jpg", "/pictures/000000.gif", "/pictures/0000é0.jpg",
    ] {
      #expect(world.row(at: path) == nil)
    }
  }

  @Test("Faults that heal do so after the stated number of failures")
  func healing() throws {
    for row in world.rows where row.failuresBefore > 0 {
      for request in 0..<row.failuresBefore {
        let answer = try world.answer(row: row.id, request: request)
        #expect([500, 503, 429].contains(answer.status))
        #expect((answer.retryAfter != nil) == (answer.status == 429))
      }
      let picture = try world.picture(of: row.id)
      let healed = try world.answer(row: row.id, request: row.failuresBefore)
      #expect(healed.status == 200 && healed.body == picture)
    }
  }
}
