import CLIPTraining
import Collectives
import Glibc
import RankThreads
import SeededRandom
import TensorEngine
import Testing

@Suite struct ContrastiveLossTests {
  /// Rows of length one.
  static func features(_ count: Int, _ width: Int, _ seed: UInt64) -> [[Float]] {
    var stream = RandomStream(seed: seed)
    return (0..<count).map { _ in
      let row = (0..<width).map { _ in stream.normal() }
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { Float($0 / length) }
    }
  }

  /// Half the mean cross-entropy of rows and columns, in Double, straight from the definition.
  static func reference(_ images: [[Double]], _ texts: [[Double]], logScale: Double) -> Double {
    let n = images.count
    let s = images.map { i in
      texts.map { t in exp(logScale) * zip(i, t).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    var loss = 0.0
    for k in 0..<n {
      loss -= s[k][k] - log((0..<n).reduce(0) { $0 + exp(s[k][$1]) })
      loss -= s[k][k] - log((0..<n).reduce(0) { $0 + exp(s[$1][k]) })
    }
    return loss / Double(2 * n)
  }

  struct Whole: Sendable {
    var loss: Float
    var images: [Float]
    var texts: [Float]
    var logScale: Float
  }

  static func split(
    _ images: [[Float]], _ texts: [[Float]], _ scale: Float, over sizes: [Int]
  ) throws -> Whole {
    let width = images[0].count
    let starts = sizes.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
    let parts = try Ranks.run(sizes.count) { group in
      let own = starts[group.rank]..<starts[group.rank + 1]
      let loss = try ContrastiveLoss.evaluate(
        images: Tensor(shape: [own.count, width], images[own].flatMap { $0 }),
        texts: Tensor(shape: [own.count, width], texts[own].flatMap { $0 }), scale: scale,
        in: group)
      return Whole(
        loss: loss.loss, images: loss.imageGradient.values, texts: loss.textGradient.values,
        logScale: loss.logScaleGradient)
    }.map { try $0.get() }
    return parts.dropFirst().reduce(into: parts[0]) {
      $0.loss += $1.loss
      $0.images += $1.images
      $0.texts += $1.texts
      $0.logScale += $1.logScale
    }
  }

  @Test(
    "loss and every gradient agree with central differences of the definition",
    arguments: [[6], [3, 3], [1, 4, 1]])
  func gradients(sizes: [Int]) throws {
    let (n, d, logScale) = (6, 5, 1.7)
    let (images, texts) = (Self.features(n, d, 1), Self.features(n, d, 2))
    let whole = try Self.split(images, texts, Float(exp(logScale)), over: sizes)
    let (i, t) = (images.map { $0.map(Double.init) }, texts.map { $0.map(Double.init) })
    // 1e-5: losses near 2 in Float.
    #expect(abs(Double(whole.loss) - Self.reference(i, t, logScale: logScale)) < 1e-5)
    let h = 1e-5
    func close(_ value: Float, _ up: Double, _ down: Double) -> Bool {
      abs(Double(value) - (up - down) / (2 * h)) < 1e-5
    }
    for row in 0..<n {
      for column in 0..<d {
        var (up, down) = (i, i)
        up[row][column] += h
        down[row][column] -= h
        #expect(
          close(
            whole.images[row * d + column], Self.reference(up, t, logScale: logScale),
            Self.reference(down, t, logScale: logScale)))
        (up, down) = (t, t)
        up[row][column] += h
        down[row][column] -= h
        #expect(
          close(
            whole.texts[row * d + column], Self.reference(i, up, logScale: logScale),
            Self.reference(i, down, logScale: logScale)))
      }
    }
    #expect(
      close(
        whole.logScale, Self.reference(i, t, logScale: logScale + h),
        Self.reference(i, t, logScale: logScale - h)))
  }

  @Test("features that are all the same tell no pair apart")
  func ties() throws {
    let same = Tensor(shape: [4, 2], [Float](repeating: Float(0.5).squareRoot(), count: 8))
    let loss = try ContrastiveLoss.evaluate(images: same, texts: same, scale: 10, in: .alone)
    #expect(loss.accuracyShare == 0)
    // ln 4 knows nothing; 1e-6: one Float logarithm.
    #expect(abs(loss.loss - log(4)) < 1e-6)
  }

  @Test("a scale of 100 neither overflows nor loses the loss")
  func largeScale() throws {
    let images = Self.features(4, 3, 3)
    let whole = try Self.split(images, images.reversed(), 100, over: [4])
    let i = images.map { $0.map(Double.init) }
    let expected = Self.reference(i, i.reversed(), logScale: log(100))
    // Similarities near 100 have steps of 8e-6 in Float.
    #expect(abs(Double(whole.loss) - expected) < 1e-4)
  }
}
