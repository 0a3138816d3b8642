import TensorEngine
import Testing

struct TensorTests {
  @Test("a copy keeps its values when the original is written")
  func copyOnWrite() {
    var a = Tensor(shape: [2, 2], [1, 2, 3, 4])
    let b = a
    let view = a.reshaped([4])
    a.withMutableSpan { $0[0] = 9 }
    #expect(a.values == [9, 2, 3, 4])
    #expect(b.values == [1, 2, 3, 4] && view.values == [1, 2, 3, 4])
    a.add(b, scaledBy: 2)
    #expect(a.values == [11, 6, 9, 12] && b.values == [1, 2, 3, 4])
    a.scale(by: 0.5)
    #expect(a.values == [5.5, 3, 4.5, 6])
  }

  @Test("a scalar has no sides, an empty tensor no values")
  func oddShapes() {
    #expect(Tensor(3).shape == [] && Tensor(3).scalar == 3)
    #expect(Tensor(shape: [0, 4]).values.isEmpty)
    #expect(Tensor(shape: [2, 6]).reshaped([3, -1]).shape == [3, 4])
  }

  @Test("storage starts on a cache line")
  func alignment() {
    for count in [1, 15, 16, 17, 1000, 70_001] {
      let tensor = Tensor(shape: [count])
      tensor.withSpan { span in
        span.withUnsafeBufferPointer { #expect(Int(bitPattern: $0.baseAddress) % 64 == 0) }
      }
    }
  }

  @Test("finite tensors are told from those with infinity or NaN", arguments: [0, 7, 8, 20_000])
  func finite(place: Int) {
    var x = Tensor(shape: [20_001], repeating: 1e30)
    #expect(x.isFinite())
    x.withMutableSpan { $0[place] = .infinity }
    #expect(!x.isFinite())
    x.withMutableSpan { $0[place] = .nan }
    #expect(!x.isFinite())
  }
}

struct CPUFeatureTests {
  private let complete = "processor\t: 0\nflags\t\t: fpu sse2 fma avx avx2 bmi2\n"

  @Test("a processor with AVX2, BMI2 and FMA lacks nothing")
  func complete_() { #expect(CPUFeatures.missing(cpuinfo: complete) == []) }

  @Test("what any core lacks is missing, and a prefix of a name is not the name")
  func lacking() {
    #expect(CPUFeatures.missing(cpuinfo: "flags\t: fma avx bmi2") == ["AVX2"])
    #expect(CPUFeatures.missing(cpuinfo: "flags\t: fma4 avx2 bmi2 avx512f") == ["FMA"])
    #expect(CPUFeatures.missing(cpuinfo: "flags\t: fma avx2 bmi1") == ["BMI2"])
    #expect(CPUFeatures.missing(cpuinfo: complete + "flags : sse2\n") == ["AVX2", "BMI2", "FMA"])
    #expect(CPUFeatures.missing(cpuinfo: "") == ["AVX2", "BMI2", "FMA"])
  }

  @Test("this machine may go on")
  func here() { CPUFeatures.requireOrExit() }
}

/// Process-wide settings: one after the other.
@Suite(.serialized) struct ThreadTests {
  @Test("loops and reductions give the same bits on one and on three threads")
  func sameBits() {
    let x = Tensor(
      shape: [300, 1001], (0..<300_300).map { Float(($0 &* 7919) % 1000) / 500 - 1 })
    let w = Tensor(shape: [1001], repeating: 0.3)
    func results() -> [[Float]] {
      let (norm, mean, inverse) = x.layerNorm(weight: w, bias: nil, epsilon: 1e-5)
      var (weights, sums) = (w, w)
      weights.addLayerNormWeightGradient(
        input: x, gradient: norm, mean: mean, inverseDeviation: inverse)
      sums.addRowSum(of: x)
      return [
        x.exp().values, Tensor.combine(x, w, .multiply).values, [x.sum(), x.norm(), x.dot(norm)],
        norm.values, weights.values, sums.values, x.softmax().values,
        x.gelu(.exact, bias: w).values,
        x.layerNormInputGradient(x, weight: w, mean: mean, inverseDeviation: inverse).values,
      ]
    }
    TensorThreads.set(1)
    let one = results()
    TensorThreads.set(3)
    let three = results()
    TensorThreads.set(1)
    #expect(one == three)
  }

  @Test("attention on three threads gives what it gives on one")
  func attention() {
    let qkv = Tensor(shape: [90, 36], (0..<90 * 36).map { Float(($0 &* 31) % 101) / 50 - 1 })
    let lengths = [40, 1, 9, 40]
    func result() -> [Float] {
      let layout = AttentionLayout(
        heads: 3, queryLengths: lengths, keyLengths: lengths, causal: true, scale: 1)
      return Tensor.attention(
        AttentionColumns(qkv), AttentionColumns(qkv, column: 12), AttentionColumns(qkv, column: 24),
        width: 12, layout: layout
      ).values
    }
    TensorThreads.set(3)
    let three = result()
    TensorThreads.set(1)
    #expect(three == result())
  }
}
