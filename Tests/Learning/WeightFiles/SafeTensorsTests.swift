import DurableFiles
import Foundation
import TensorEngine
import Testing
import WeightFiles

/// A file of the format, by hand.
private func file(_ header: String, data: Int) -> [UInt8] {
  let json = Array(header.utf8)
  return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json
    + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
}

private func entry(_ type: String, _ shape: [Int], _ begin: Int, _ end: Int) -> String {
  "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
}

private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.path + "/weights-\(UUID().uuidString)"
  try DurableFile.makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
  try body(folder)
}

@Suite("Reading safetensors")
struct SafeTensorsReadingTests {
  private let fixture =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    + "/Fixtures/types.safetensors"

  @Test("every type of number that torch wrote is read as Float")
  func types() throws {
    let weights = try SafeTensors.read(fixture)
    let half: [Float] = [0, 1, -2.5, 65504, Float(Float16(6.1e-5)), 3.140625]
    // bfloat16 keeps eight bits: 65504 rounds to 65536.
    let brief: [Float] = [0, 1, -2.5, 65536, Float(bitPattern: 0x3880_0000), 3.140625]
    let whole: [Float] = [0, 1, 100, -100, 127, -128]
    #expect(weights.tensors["F64"]?.values == [0, 1, -2.5, 65504, 6.1e-5, 3.140625])
    #expect(weights.tensors["F32"]?.values == [0, 1, -2.5, 65504, 6.1e-5, 3.140625])
    #expect(weights.tensors["F16"]?.values == half)
    #expect(weights.tensors["BF16"]?.values == brief)
    for name in ["I64", "I32", "I16", "I8"] { #expect(weights.tensors[name]?.values == whole) }
    #expect(weights.tensors["U8"]?.values == [0, 1, 200, 255, 7, 8])
    #expect(weights.tensors["BOOL"]?.values == [0, 1, 1, 0, 0, 1])
    #expect(weights.tensors["scalar"]?.shape == [])
    #expect(weights.tensors["scalar"]?.values == [0.25])
    #expect(weights.tensors["empty"]?.shape == [0, 3])
    #expect(weights.tensors["matrix é\"\\"]?.shape == [2, 3])
    #expect(weights.tensors["matrix é\"\\"]?.values == [0, 1, 2, 3, 4, 5])
    #expect(weights.tensors.count == 13)
    #expect(weights.metadata == ["format": "pt", "note": "line\n\"quoted\" é"])
  }

  @Test("a file that is not there is named in the error")
  func missing() {
    #expect {
      try SafeTensors.read("/nowhere/w.safetensors")
    } throws: {
      "\($0)".hasPrefix("/nowhere/w.safetensors: cannot open")
    }
  }

  @Test(
    "a header that does not fit its data is refused with the tensor and the reason",
    arguments: [
      (file("{\"a\":\(entry("F32", [2], 0, 8))", data: 8), "understood"),
      (file("{}", data: 1), "1 bytes belong to no tensor"),
      (file("[]", data: 0), "understood"),
      (file("{\"a\":{\"dtype\":\"F32\"}}", data: 0), "understood: a"),
      (file("{\"a\":\(entry("F8", [2], 0, 2))}", data: 2), "w, tensor a: numbers of type F8"),
      (file("{\"a\":\(entry("F32", [2], 0, 7))}", data: 7), "needs 8 bytes, it has 7"),
      (file("{\"a\":\(entry("F32", [3], 0, 8))}", data: 8), "needs 12 bytes, it has 8"),
      (file("{\"a\":\(entry("F32", [2], 0, 8))}", data: 4), "bytes 0 to 8 are not within"),
      (file("{\"a\":\(entry("F32", [2], -8, 0))}", data: 8), "bytes -8 to 0 are not within"),
      (file("{\"a\":\(entry("F32", [2], 8, 0))}", data: 8), "bytes 8 to 0 are not within"),
      (file("{\"a\":\(entry("F32", [-2, -1], 0, 8))}", data: 8), "impossible"),
      (
        file("{\"a\":\(entry("F32", [1 << 40, 1 << 40], 0, 8))}", data: 8),
        "impossible"
      ),
      (
        file("{\"a\":\(entry("F32", [2], 0, 8)),\"b\":\(entry("F32", [2], 4, 12))}", data: 12),
        "tensor b: its bytes overlap those of a"
      ),
      (
        file("{\"a\":\(entry("F32", [1], 0, 4)),\"b\":\(entry("F32", [1], 8, 12))}", data: 12),
        "tensor b: 4 bytes belong to no tensor"
      ),
      (
        file("{\"a\":\(entry("F32", [1], 0, 4)),\"a\":\(entry("F32", [1], 4, 8))}", data: 8),
        "belong to no tensor"
      ),
      ([1, 2, 3], "3 bytes where 8 are wanted"),
      ([9, 0, 0, 0, 0, 0, 0, 0, 1], "9 bytes where 17 are wanted"),
      ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "a header of 18446744073709551615 bytes"),
    ])
  func refused(_ bytes: [UInt8], _ reason: String) {
    #expect {
      try SafeTensors.parse(bytes, name: "w")
    } throws: {
      "\($0)".contains(reason)
    }
  }

  @Test(
    "whatever bytes are changed, a file is read or refused, and never crashes", arguments: 0..<8)
  func mutations(seed: UInt64) throws {
    let original = try DurableFile.read(fixture)
    let headerEnd = 8 + Int(original[0]) + Int(original[1]) << 8
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var refused = 0
    for _ in 0..<500 {
      var bytes = original
      for _ in 0...draw(3) {
        let place = draw(headerEnd)
        switch draw(5) {
        case 0: bytes[place] = UInt8(draw(256))
        case 1: bytes[place] ^= 1 << draw(8)
        case 2: bytes[place] = Array("0123456789-[]{},:\"e.".utf8)[draw(20)]
        case 3: bytes.remove(at: place)
        default: bytes.insert(UInt8(draw(256)), at: place)
        }
      }
      if draw(4) == 0 { bytes.removeLast(draw(bytes.count)) }
      do {
        _ = try SafeTensors.parse(bytes, name: "w")
      } catch {
        refused += 1
      }
    }
    #expect(refused > 250, "most changes of a header break it")
  }
}

@Suite("Writing safetensors")
struct SafeTensorsWritingTests {
  private let tensors: [(name: String, tensor: Tensor)] = [
    ("z", Tensor(shape: [2, 2], [1, -.infinity, .leastNonzeroMagnitude, 0.1])),
    ("a.b", Tensor(shape: [], [3])),
    ("\"é\\\n", Tensor(shape: [0])),
  ]

  @Test("what is written reads back, bit for bit")
  func roundTrip() throws {
    try withFolder { folder in
      let metadata = ["cursor": "{\"step\": 12, \"text\": \"\u{1}é\"}"]
      try SafeTensors.write(tensors, metadata: metadata, to: folder + "/w.safetensors")
      let read = try SafeTensors.read(folder + "/w.safetensors")
      #expect(read.metadata == metadata)
      #expect(read.tensors.count == tensors.count)
      for (name, tensor) in tensors {
        #expect(read.tensors[name]?.shape == tensor.shape)
        #expect(read.tensors[name]?.values.map(\.bitPattern) == tensor.values.map(\.bitPattern))
      }
    }
  }

  @Test("the order of the tensors changes no byte, and numbers begin at a multiple of eight")
  func deterministic() throws {
    try withFolder { folder in
      try SafeTensors.write(tensors, metadata: ["k": "v", "a": "b"], to: folder + "/1")
      try SafeTensors.write(tensors.reversed(), metadata: ["a": "b", "k": "v"], to: folder + "/2")
      let bytes = try DurableFile.read(folder + "/1")
      #expect(try DurableFile.read(folder + "/2") == bytes)
      #expect(bytes[0] % 8 == 0)
      let header =
        #"{"__metadata__":{"a":"b","k":"v"},"#
        + #""\"é\\\u000a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"#
        + #""a.b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#
        + #""z":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]}}"#
      #expect(String(decoding: bytes[8...], as: UTF8.self).hasPrefix(header))
    }
  }
}
