import TensorEngine
import Testing

@Suite struct BitHashTests {
  @Test(
    "one flipped bit anywhere changes the hash, around the widths of lanes",
    arguments: [1, 2, 7, 8, 31, 32, 33, 64, 100])
  func flips(count: Int) {
    let values = (0..<count).map { Float($0) * 0.37 - 5 }
    let hash = Tensor(shape: [count], values).bitHash()
    #expect(Tensor(shape: [count], values).bitHash() == hash)
    for index in 0..<count {
      for bit in UInt32(0)..<32 {
        var other = values
        other[index] = Float(bitPattern: values[index].bitPattern ^ 1 << bit)
        #expect(Tensor(shape: [count], other).bitHash() != hash, "bit \(bit) of \(index)")
      }
    }
  }

  @Test("two signs that flip in one lane, an exchange and another shape are told")
  func accidents() {
    let values = (0..<96).map { Float($0) + 1 }
    let hash = Tensor(shape: [96], values).bitHash()
    var signs = values
    // Words of one lane: a hash that only multiplied would lose both.
    signs[3] = -signs[3]
    signs[35] = -signs[35]
    var exchanged = values
    exchanged.swapAt(5, 69)
    #expect(Tensor(shape: [96], signs).bitHash() != hash)
    #expect(Tensor(shape: [96], exchanged).bitHash() != hash)
    #expect(Tensor(shape: [8, 12], values).bitHash() != hash)
    #expect(Tensor(shape: [0], []).bitHash() != Tensor(shape: [0, 2], []).bitHash())
  }
}
