import DurableFiles
import Foundation
import SeededRandom
import TensorEngine
import Testing
import WeightFiles

private func expectSame(_ file: WeightFile, _ expected: WeightFile) {
  #expect(file.tensors.keys.sorted() == expected.tensors.keys.sorted())
  for (name, tensor) in expected.tensors {
    #expect(file.tensors[name]?.shape == tensor.shape, "\(name)")
    #expect(
      file.tensors[name]?.values.map(\.bitPattern) == tensor.values.map(\.bitPattern), "\(name)")
  }
}

@Suite("Reading torch's files")
struct TorchFileTests {
  @Test(
    "every type, stride, offset and shared storage of a checkpoint is read as torch reads it",
    arguments: ["checkpoint.pt", "deflated.pt"])
  func checkpoint(_ name: String) throws {
    let reader = try WeightReader(fixture(name))
    expectSame(try reader.file(), try SafeTensors.read(fixture("checkpoint.safetensors")))
    #expect(reader.contents.format == .torch)
    #expect(reader.contents.wrappers == ["state_dict"])
    #expect(reader.contents.alternatives == ["state_dict_ema"])
    #expect(reader.entries.first { $0.name == "permuted" }?.shape == [5, 3, 4])
    #expect(reader.entries.first { $0.name == "half.transposed" }?.format == .float16)
  }

  @Test("another state dict of a checkpoint is read when it is asked for")
  func wrapper() throws {
    let file = try WeightFile.read(fixture("checkpoint.pt"), wrapper: "state_dict_ema")
    #expect(file.tensors.mapValues(\.values) == ["weight": [7, 8]])
    #expect {
      try WeightFile.read(fixture("checkpoint.pt"), wrapper: "ema")
    } throws: {
      "\($0)".contains("there is no ema among epoch, name, lr, args, state_dict, state_dict_ema, …")
    }
  }

  @Test("a TorchScript archive is its attributes, its code kept as text")
  func torchScript() throws {
    let reader = try WeightReader(fixture("script.pt"))
    expectSame(try reader.file(), try SafeTensors.read(fixture("script.safetensors")))
    #expect(reader.contents.format == .torchScript)
    #expect(reader.contents.code.contains("QuickGELU"))
    #expect(reader.contents.facts["input_resolution"] == "224")
  }

  @Test("a class that is not on the list is an error that names it and its place")
  func unknownGlobal() {
    #expect {
      try WeightFile.read(fixture("global.pt"))
    } throws: { error in
      guard
        case .unknownGlobal("posix", "system", let offset)? = (error as? WeightFileError)?.reason
      else { return false }
      return offset > 0 && "\(error)".contains("nothing was run")
    }
  }

  @Test(
    "what is no weight file is named",
    arguments: [
      ("", "it is empty"), ("<!DOCTYPE html><html>", "a web page"),
      ("version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
      ("\u{89}HDF", "no format that is known"), ("GGUF....", "a GGUF file"),
      ("{\"a\": 1}", "no JSON with a weight_map"), ("PK\u{3}\u{4}....", "cut off"),
    ])
  func otherFormats(_ text: String, _ reason: String) {
    #expect {
      try WeightReader(bytes: Array(text.utf8), name: "w")
    } throws: {
      "\($0)".contains(reason)
    }
  }

  @Test("torch's format before ZIP is refused with the line that saves it again")
  func legacy() {
    #expect {
      try WeightReader(bytes: [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46], name: "w")
    } throws: {
      "\($0)".contains("before 1.6") && "\($0)".contains("torch.save(torch.load(")
    }
  }

  @Test(
    "whatever bytes are changed, a file is read or refused, and never crashes", arguments: 0..<8)
  func mutations(seed: UInt64) throws {
    let names = ["checkpoint.pt", "deflated.pt", "script.pt"]
    var random = RandomStream(seed: seed)
    var refused = 0
    for _ in 0..<300 {
      let original = try DurableFile.read(fixture(names[random.integer(below: names.count)]))
      var bytes = original
      for _ in 0...random.integer(below: 3) {
        let place = random.integer(below: bytes.count)
        switch random.integer(below: 6) {
        case 0: bytes[place] = UInt8(random.integer(below: 256))
        case 1: bytes[place] ^= 1 << random.integer(below: 8)
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(UInt8(random.integer(below: 256)), at: place)
        // A length or an offset, wherever one is, becomes a huge one.
        case 4: for index in place..<min(place + 4, bytes.count) { bytes[index] = 0xFF }
        default: bytes.removeLast(random.integer(below: min(bytes.count, 40)))
        }
      }
      do throws(WeightFileError) { _ = try TorchArchives.read(bytes) } catch {
        #expect(!error.description.isEmpty)
        refused += 1
      }
    }
    // Some changes strike padding, or members that nothing reads.
    #expect(refused > 150, "seed \(seed): most changes break a file")
  }

  @Test("a changed weight is found by the checksum of its member")
  func checksum() throws {
    let bytes = try DurableFile.read(fixture("checkpoint.pt"))
    let whole = try SafeTensors.read(fixture("checkpoint.safetensors")).tensors["parameter"]
    let first = try #require(whole?.values.first)
    let pattern = withUnsafeBytes(of: first.bitPattern.littleEndian) { Array($0) }
    let place = try #require(
      (0..<bytes.count - 4).first { Array(bytes[$0..<($0 + 4)]) == pattern })
    var changed = bytes
    changed[place] ^= 1
    #expect {
      try TorchArchives.read(changed)
    } throws: {
      "\($0)".contains("another checksum")
    }
  }
}

@Suite("Sharded checkpoints")
struct ShardedTests {
  @Test("the tensors of an index come from the shards that it names; a missing one is named")
  func shards() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/shards-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
    try SafeTensors.write([("a", Tensor(shape: [2], [1, 2]))], to: folder + "/1.safetensors")
    try TorchWriter.write([("b", Tensor(3))], to: folder + "/2.bin")
    let index = folder + "/model.safetensors.index.json"
    func write(_ map: String) throws {
      try DurableFile.write(#"{"metadata":{"total_size":12},"weight_map":{\#(map)}}"#, to: index)
    }
    try write(#""a":"1.safetensors","b":"2.bin""#)
    let reader = try WeightReader(index)
    #expect(try reader.file().tensors.mapValues(\.values) == ["a": [1, 2], "b": [3]])
    #expect(reader.contents.format == .sharded)
    #expect(reader.contents.metadata == ["total_size": "12"])
    try write(#""a":"1.safetensors","c":"2.bin""#)
    #expect { try WeightReader(index) } throws: { "\($0)".contains("2.bin does not hold it") }
    for name in ["../1.safetensors", "", "/etc/passwd", "model.safetensors.index.json"] {
      try write(#""a":"\#(name)""#)
      #expect { try WeightReader(index) } throws: { "\($0)".contains("no name of a shard") }
    }
  }
}

@Suite("Writing weights in other formats")
struct WeightWritingTests {
  private let tensors: [(name: String, tensor: Tensor)] = [
    ("z", Tensor(shape: [2, 3], [1, -.infinity, .leastNonzeroMagnitude, 0.1, -2.5, 65504])),
    ("a.b", Tensor(shape: [], [3])), ("empty", Tensor(shape: [0, 3])),
    // Halfway cases of eight and of eleven bits: ties go to even.
    ("ties", Tensor(shape: [4], [1.00390625, 1.01171875, 1.00048828125, 1.00146484375])),
  ]

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/weights-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
    try body(folder)
  }

  /// The three-line reference: to nearest, ties to even.
  private func rounded(_ value: Float, _ precision: WeightPrecision) -> Float {
    switch precision {
    case .float32: value
    case .float16: Float(Float16(value))
    case .bfloat16:
      [0, 1].map { Float(bitPattern: ((value.bitPattern >> 16) &+ $0) << 16) }.min { one, other in
        let (a, b) = (abs(Double(one) - Double(value)), abs(Double(other) - Double(value)))
        return a != b ? a < b : one.bitPattern >> 16 & 1 == 0
      } ?? value
    }
  }

  @Test(
    "what is written reads back rounded to the precision, from both formats",
    arguments: WeightPrecision.allCases)
  func roundTrip(_ precision: WeightPrecision) throws {
    try withFolder { folder in
      try TorchWriter.write(tensors, as: precision, to: folder + "/w.pt")
      try SafeTensors.write(
        tensors, as: precision, metadata: ["k": "v"], to: folder + "/w.safetensors")
      for name in ["w.pt", "w.safetensors"] {
        let reader = try WeightReader(folder + "/" + name)
        let file = try reader.file()
        #expect(file.tensors.count == tensors.count)
        for (tensorName, tensor) in tensors {
          let expected = tensor.values.map { $0.isFinite ? rounded($0, precision) : $0 }
          #expect(file.tensors[tensorName]?.values == expected, "\(name) \(tensorName)")
          #expect(file.tensors[tensorName]?.shape == tensor.shape)
        }
        #expect(reader.entries.allSatisfy { $0.format == precision.format })
      }
      try TorchWriter.write(tensors, as: precision, to: folder + "/again.pt")
      #expect(try DurableFile.read(folder + "/w.pt") == DurableFile.read(folder + "/again.pt"))
    }
  }

  @Test("a value that would become infinite is refused, and no file is left")
  func overflow() throws {
    try withFolder { folder in
      for (precision, value) in [
        (WeightPrecision.float16, Float(65520)), (.bfloat16, .greatestFiniteMagnitude),
      ] {
        #expect {
          try TorchWriter.write([("w", Tensor(value))], as: precision, to: folder + "/w.pt")
        } throws: {
          "\($0)".contains("tensor w: a value is too large for \(precision.rawValue)")
        }
        let left = try DurableFile.names(in: folder)
        #expect(left.isEmpty)
      }
    }
  }
}
