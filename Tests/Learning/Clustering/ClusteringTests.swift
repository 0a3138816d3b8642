import Clustering
import SeededRandom
import TensorEngine
import Testing

/// Vectors for tests: unit rows around a few directions.
func clouds(_ count: Int, width: Int, centres: Int, spread: Double, seed: UInt64) -> Tensor {
  var random = RandomStream(seed: seed)
  let middles = (0..<centres).map { _ in (0..<width).map { _ in random.normal() } }
  var values: [Float] = []
  for row in 0..<count {
    let raw = middles[row % centres].map { $0 + spread * random.normal() }
    let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
    values += raw.map { Float($0 / length) }
  }
  return Tensor(shape: [count, width], values)
}

/// The three-line product.
func product(_ one: Tensor, _ row: Int, _ two: Tensor, _ other: Int) -> Float {
  let width = one.shape[1]
  let (a, b) = (
    one.values[row * width..<(row + 1) * width], two.values[other * width..<(other + 1) * width]
  )
  return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

@Suite struct ExactNeighbourTests {
  // Sums of 24 products of unit rows in another order: some 24 roundings of 6e-8.
  private let tolerance: Float = 2e-6

  @Test(
    "the best rows are those of a sort of all products, for few queries and for many",
    arguments: [1, 4, 9])
  func bruteForce(queries: Int) throws {
    let rows = clouds(700, width: 24, centres: 5, spread: 0.7, seed: 1)
    let asked = clouds(queries, width: 24, centres: 3, spread: 0.7, seed: 2)
    let found = ExactNeighbours.search(asked, in: VectorSource(rows), top: 12, threads: 2)
    #expect(found.count == queries)
    let values = rows.values
    let asks = asked.values
    for query in 0..<queries {
      let scores = (0..<700).map { row in
        (0..<24).reduce(Float(0)) { $0 + values[row * 24 + $1] * asks[query * 24 + $1] }
      }
      let best = scores.sorted(by: >).prefix(12)
      #expect(found[query].count == 12)
      for (neighbour, score) in zip(found[query], best) {
        #expect(abs(neighbour.score - score) < tolerance)
        #expect(abs(scores[neighbour.row] - neighbour.score) < tolerance)
      }
      #expect(Set(found[query].map(\.row)).count == 12)
    }
  }

  @Test("scores are cosines of vectors of any length", arguments: [1, 9])
  func lengths(queries: Int) {
    let rows = clouds(300, width: 24, centres: 5, spread: 0.7, seed: 5)
    let asked = clouds(queries, width: 24, centres: 3, spread: 0.7, seed: 6)
    var values = rows.values
    for index in values.indices { values[index] *= Float(1 + index / 24 % 7) / 3 }
    let scaled = VectorSource(Tensor(shape: [300, 24], values))
    let found = ExactNeighbours.search(asked, in: scaled, top: 9, threads: 2)
    let unit = ExactNeighbours.search(asked, in: VectorSource(rows), top: 9, threads: 2)
    for (one, other) in zip(found, unit) {
      #expect(one.map(\.row) == other.map(\.row))
      for (a, b) in zip(one, other) { #expect(abs(a.score - b.score) < tolerance) }
    }
  }

  @Test("equal scores go by row, and what is no number is no result")
  func ties() {
    var values = [Float](repeating: 0, count: 600 * 2)
    for row in 0..<600 {
      values[row * 2] = row % 3 == 0 ? 1 : 0.5
      values[row * 2 + 1] = row % 3 == 0 ? 0 : Float(0.75).squareRoot()
    }
    values[2 * 3] = .nan
    let found = ExactNeighbours.search(
      Tensor(shape: [1, 2], [1, 0]), in: VectorSource(Tensor(shape: [600, 2], values)), top: 4,
      threads: 2)
    #expect(found[0].map(\.row) == [0, 6, 9, 12])
    let all = ExactNeighbours.search(
      Tensor(shape: [1, 2], [1, 0]), in: VectorSource(Tensor(shape: [600, 2], values)), top: 1_000,
      threads: 2)
    #expect(all[0].count == 599)
    #expect(all[0].suffix(2).map(\.row) == [598, 599].filter { $0 % 3 != 0 })
  }

  @Test("the results are the same bits on one, two and five threads")
  func threads() {
    let rows = VectorSource(clouds(3_000, width: 40, centres: 7, spread: 0.5, seed: 3))
    let asked = clouds(6, width: 40, centres: 3, spread: 0.7, seed: 4)
    let one = ExactNeighbours.search(asked, in: rows, top: 50, threads: 1)
    for threads in [2, 5] {
      #expect(ExactNeighbours.search(asked, in: rows, top: 50, threads: threads) == one)
    }
    #expect(
      ExactNeighbours.above(0.6, asked, in: rows, threads: 5)
        == ExactNeighbours.above(0.6, asked, in: rows, threads: 1))
  }

  @Test("rows above a threshold are all that a pass over every row finds")
  func above() {
    let rows = clouds(900, width: 16, centres: 4, spread: 0.6, seed: 5)
    let asked = clouds(5, width: 16, centres: 4, spread: 0.6, seed: 6)
    let found = ExactNeighbours.above(0.5, asked, in: VectorSource(rows), threads: 2)
    for query in 0..<5 {
      let expected = (0..<900).filter { product(asked, query, rows, $0) > 0.5 }
      // No product lies so near to the threshold that the order of a sum decides.
      #expect(found[query].map(\.row) == expected)
    }
    #expect(found.contains { !$0.isEmpty })
  }
}

@Suite struct SphericalKMeansTests {
  @Test("rows around distinct directions are told apart, whatever the seed", arguments: 0..<4)
  func separates(seed: Int) {
    let rows = clouds(400, width: 32, centres: 4, spread: 0.2, seed: 11)
    var means = SphericalKMeans(clusters: 12, threads: 2)
    means.seed = UInt64(seed)
    let found = means.run(VectorSource(rows))
    // More clusters than directions: none of them has rows of two.
    for members in found.members { #expect(Set(members.map { $0 % 4 }).count <= 1) }
    #expect(found.cluster.count == 400)
  }

  @Test("every row has the centroid of the highest cosine, and centroids are means of their rows")
  func fixpoint() {
    let rows = clouds(300, width: 8, centres: 3, spread: 0.8, seed: 12)
    var means = SphericalKMeans(clusters: 5, threads: 2)
    means.iterations = 200
    means.tolerance = 0
    let found = means.run(VectorSource(rows))
    for row in 0..<300 {
      let cosines = (0..<5).map { product(rows, row, found.centroids, $0) }
      let best = cosines.max() ?? 0
      // Eight products of unit vectors: some 8 roundings of 6e-8.
      #expect(abs(cosines[found.cluster[row]] - best) < 1e-6)
      #expect(abs(found.cosine[row] - best) < 1e-6)
    }
    for (cluster, members) in found.members.enumerated() {
      var sum = [Double](repeating: 0, count: 8)
      for row in members {
        for index in 0..<8 { sum[index] += Double(rows.values[row * 8 + index]) }
      }
      let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in 0..<8 {
        // Float sums of some hundred rows.
        #expect(
          abs(Double(found.centroids.values[cluster * 8 + index]) - sum[index] / length) < 1e-5)
      }
    }
  }

  @Test("the mean cosine never falls, and the bits are the same on any number of threads")
  func threads() {
    let rows = VectorSource(clouds(2_500, width: 24, centres: 9, spread: 0.7, seed: 13))
    func run(_ threads: Int) -> (ClusteredRows, [Double]) {
      var means = SphericalKMeans(clusters: 20, threads: threads)
      means.sampleRows = 50
      var steps: [Double] = []
      let found = means.run(rows) { steps.append($0.cosine) }
      return (found, steps)
    }
    let (one, steps) = run(1)
    #expect(steps.count > 2)
    // A mean of a thousand cosines that do not change wavers by less.
    for (before, after) in zip(steps, steps.dropFirst()) { #expect(after > before - 1e-7) }
    for threads in [2, 5] {
      let (other, _) = run(threads)
      #expect(other.cluster == one.cluster && other.cosine == one.cosine)
      #expect(other.centroids.values == one.centroids.values)
    }
  }

  @Test("clusters that would be empty are begun anew; fewer rows than clusters are one each")
  func empty() {
    // Copies of one row, among which starts are drawn mostly, and few others.
    var values = [Float](repeating: 0, count: 64 * 4)
    for row in 0..<64 { values[row * 4] = 1 }
    for row in 0..<3 {
      values[row * 4] = 0
      values[row * 4 + row + 1] = 1
    }
    let rows = VectorSource(Tensor(shape: [64, 4], values))
    let found = SphericalKMeans(clusters: 4, threads: 2).run(rows)
    #expect(found.members.allSatisfy { !$0.isEmpty })
    #expect(found.cosine.allSatisfy { abs($0 - 1) < 1e-6 })
    let few = SphericalKMeans(clusters: 10, threads: 2).run(rows.rows([0, 1, 2]))
    #expect(few.clusters == 3 && Set(few.cluster).count == 3)
    let none = SphericalKMeans(clusters: 10, threads: 2).run(rows.rows([]))
    #expect(none.cluster.isEmpty)
  }

  @Test("a row of zeros or of what is no number belongs somewhere, and spoils no centroid")
  func strange() {
    var values = clouds(200, width: 8, centres: 2, spread: 0.2, seed: 14).values
    for index in 0..<8 { values[index] = 0 }
    values[8] = .nan
    values[17] = .infinity
    let found = SphericalKMeans(clusters: 3, threads: 2)
      .run(VectorSource(Tensor(shape: [200, 8], values)))
    #expect(found.centroids.values.allSatisfy { $0.isFinite })
    #expect(found.cosine.allSatisfy { $0.isFinite })
    #expect(found.cosine[0] == 0 && found.cosine[1] == 0)
  }
}

@Suite struct EarlierNeighbourTests {
  @Test("the nearest row in front is that of a loop over all", arguments: [1, 2, 5])
  func bruteForce(threads: Int) {
    let rows = clouds(1_300, width: 12, centres: 30, spread: 0.15, seed: 21)
    var random = RandomStream(seed: 22)
    let order = random.permutation(of: 1_300)
    let found = EarlierNeighbours.find(
      order, in: VectorSource(rows), above: 0.97, threads: threads)
    let values = rows.values
    var hits = 0
    for place in 0..<1_300 {
      var (best, cosine) = (-1, Float(0.97))
      for other in 0..<place {
        var sum: Float = 0
        for index in 0..<12 {
          sum += values[order[place] * 12 + index] * values[order[other] * 12 + index]
        }
        if sum > cosine { (best, cosine) = (other, sum) }
      }
      if best >= 0 { hits += 1 }
      #expect(found[place]?.row == (best < 0 ? nil : best), "place \(place)")
      // Twelve products of unit rows, summed in another order.
      if let score = found[place]?.score { #expect(abs(score - cosine) < 1e-6) }
    }
    #expect(hits > 100 && hits < 1_300)
  }

  @Test("lists give what each gives alone")
  func lists() {
    let rows = VectorSource(clouds(600, width: 12, centres: 8, spread: 0.15, seed: 23))
    let lists = (0..<12).map { list in Array(stride(from: list, to: 600, by: 12)) }
    let together = EarlierNeighbours.find(lists: lists, in: rows, above: 0.95, threads: 2)
    for (list, found) in zip(lists, together) {
      #expect(EarlierNeighbours.find(list, in: rows, above: 0.95, threads: 1) == found)
    }
    #expect(together.contains { !$0.isEmpty })
  }
}
