import Testing
import WeightFiles

private typealias Archive = TorchArchives

@Suite("The unpickler's bounds")
struct UnpicklerTests {
  private let four: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64]  // 1 2 3 4

  @Test(
    "a view within its storage is read by its strides",
    arguments: [
      ([4], [1], 0, [1, 2, 3, 4]), ([2, 2], [1, 2], 0, [1, 3, 2, 4]), ([2], [2], 1, [2, 4]),
      ([3], [0], 3, [4, 4, 4]), ([0, 9], [7, 7], 0, []), ([], [], 2, [3]),
      ([1, 2], [1 << 40, 1], 1, [2, 3]),
    ] as [([Int], [Int], Int, [Float])])
  func views(_ shape: [Int], _ strides: [Int], _ offset: Int, _ expected: [Float]) throws {
    let pickle = Archive.stateDict(
      Archive.tensor(count: 4, offset: offset, shape: shape, strides: strides))
    let file = try Archive.read(Archive.torch(pickle, storages: [four]))
    #expect(file.tensors["w"]?.values == expected)
    #expect(file.tensors["w"]?.shape == shape)
  }

  @Test(
    "a view that leaves its storage, or asks for far more than it holds, is refused",
    arguments: [
      ([5], [1], 0), ([4], [1], 1), ([2], [4], 0), ([1], [1], -1), ([-1], [1], 0), ([2], [-1], 3),
      ([1 << 40], [0], 0), ([1 << 32, 1 << 32], [1, 1], 0), ([2], [1 << 62], 0), ([1], [1], 4),
      ([.max, .max, .max], [0, 0, 0], 0),
    ] as [([Int], [Int], Int)])
  func outside(_ shape: [Int], _ strides: [Int], _ offset: Int) {
    let pickle = Archive.stateDict(
      Archive.tensor(count: 4, offset: offset, shape: shape, strides: strides))
    #expect {
      try Archive.read(Archive.torch(pickle, storages: [four]))
    } throws: {
      "\($0)".contains("looks outside its storage of 4 numbers")
    }
  }

  @Test("a storage that is missing, or shorter than it says, is refused")
  func storages() {
    let pickle = Archive.stateDict(
      Archive.tensor(count: 1 << 40, offset: 0, shape: [1], strides: [1]))
    #expect {
      try Archive.read(Archive.torch(pickle, storages: [four]))
    } throws: {
      "\($0)".contains("its shape needs \(4 << 40) bytes, it has 16")
    }
    #expect { try Archive.read(Archive.torch(pickle)) } throws: { "\($0)".contains("is missing") }
  }

  @Test("many views of one storage cannot ask for more memory than the file justifies")
  func amplification() {
    let view = Archive.tensor(count: 1 << 18, offset: 0, shape: [1 << 18], strides: [1])
    var pickle: [UInt8] = [0x80, 2] + Array("}(".utf8) + Archive.text("0") + view + [0x71, 0]
    for number in 1..<200 { pickle += Archive.text("\(number)") + [0x68, 0] }
    pickle += Array("u.".utf8)
    let storage = [UInt8](repeating: 0, count: 1 << 20)
    #expect {
      try Archive.read(Archive.torch(pickle, storages: [storage]))
    } throws: {
      "\($0)".contains("far more numbers than the file has bytes")
    }
  }

  @Test(
    "pickles that nest, loop or grow without end are refused or harmless",
    arguments: [
      // A million tuples, each in the next: no stack is used for them.
      ([UInt8](repeating: 0x85, count: 1_000_000), "N", "no dictionary"),
      ([UInt8](repeating: UInt8(ascii: "("), count: 2_000_000), "", "more than 1048576 values"),
      ([UInt8](repeating: UInt8(ascii: "]"), count: 2_000_000), "", "more than 1048576 values"),
      ([UInt8](repeating: UInt8(ascii: "2"), count: 2_000_000), "N", "more than 1048576 values"),
    ])
  func bombs(_ bytes: [UInt8], _ before: String, _ reason: String) {
    let pickle = [0x80, 4] + Array(before.utf8) + bytes + Array(".".utf8)
    #expect {
      try Archive.read(Archive.torch(pickle))
    } throws: {
      "\($0)".contains(reason)
    }
  }

  @Test("a dictionary that holds itself is walked to an end")
  func cycle() {
    // d = {}; d["w"] = tensor; d["a"] = d; d["b"] = d: two ways at each of 64 depths.
    let pickle =
      [0x80, 2] + Array("}q\u{0}".utf8) + Archive.text("w")
      + Archive.tensor(count: 4, offset: 0, shape: [4], strides: [1]) + Array("s".utf8)
      + Archive.text("a") + Array("h\u{0}s".utf8) + Archive.text("b") + Array("h\u{0}s.".utf8)
    #expect {
      try Archive.read(Archive.torch(pickle, storages: [four]))
    } throws: {
      "\($0)".contains("nested without end")
    }
  }

  @Test("no opcode, cut off or on an empty stack, does more than throw", arguments: 0..<256)
  func opcodes(opcode: Int) {
    for tail in [
      [], [0], [1, 0, 0, 0, 65], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Array("0\n0\n.".utf8),
    ] {
      for front in [[], Array("N".utf8), Array("(".utf8), Array("}".utf8), Array("]N".utf8)] {
        let pickle = [0x80, 5] + front + [UInt8(opcode)] + tail
        #expect(throws: WeightFileError.self) { try Archive.read(Archive.torch(pickle)) }
      }
    }
  }

  @Test(
    "functions are refused whichever way they are named",
    arguments: [
      Archive.global("os", "system"), Archive.global("builtins", "eval"),
      Archive.global("builtins", "getattr"), Archive.global("torch._utils", "_import_dotted_name"),
      Archive.global("__torch__", "Model"),  // Only in an archive with code.
      Archive.text("os") + Archive.text("system") + [0x93],
      Array("(ios\nsystem\n".utf8), [0x82, 1],
    ])
  func functions(_ bytes: [UInt8]) {
    let pickle = [0x80, 4] + bytes + Array(".".utf8)
    #expect {
      try Archive.read(Archive.torch(pickle))
    } throws: {
      "\($0)".contains("nothing was run") || "\($0)".contains("opcode")
    }
  }
}

@Suite("The ZIP reader's bounds")
struct ZipTests {
  private let pickle = Archive.stateDict(
    Archive.tensor(count: 1, offset: 0, shape: [1], strides: [1]))

  private func members(_ change: (inout Archive.Member) -> Void) -> [Archive.Member] {
    var storage = Archive.Member(name: "a/data/0", bytes: [0, 0, 128, 63])
    change(&storage)
    return [Archive.Member(name: "a/data.pkl", bytes: pickle), storage]
  }

  @Test("a sound archive is read, a comment behind it too")
  func sound() throws {
    var bytes = Archive.zip(members { _ in })
    #expect(try Archive.read(bytes).tensors["w"]?.values == [1])
    bytes[bytes.count - 2] = 5
    bytes += Array("hello".utf8)
    #expect(try Archive.read(bytes).tensors["w"]?.values == [1])
  }

  @Test("what an archive says wrongly of a member is refused by the member's name")
  func damaged() {
    let cases: [((inout Archive.Member) -> Void, String)] = [
      ({ $0.flags = 1 }, "a/data/0: it is encrypted"),
      ({ $0.method = 12 }, "packed by method 12"),
      ({ $0.method = 8 }, "cannot be unpacked"),
      ({ ($0.method, $0.claimedCount) = (8, 1 << 30) }, "are not within the file"),
      ({ $0.claimedCount = 5000 }, "its 5000 bytes are not within the file"),
      ({ $0.claimedOffset = 0 }, "its header has another name"),
      ({ $0.claimedOffset = 7 }, "it has no header"),
      ({ $0.claimedOffset = 1 << 30 }, "it begins outside the file"),
      ({ $0.headerName = "a/data/1" }, "its header has another name"),
      ({ ($0.name, $0.headerName) = ("a/data.pkl", "a/data.pkl") }, "two members are named"),
      ({ $0.name = "b/data.pkl" }, "2 members named data.pkl"),
    ]
    for (change, reason) in cases {
      #expect("\(reason)") {
        try Archive.read(Archive.zip(members(change)))
      } throws: {
        "\($0)".contains(reason)
      }
    }
  }

  @Test("members that share bytes are refused")
  func overlap() {
    let inner = Archive.zip([.init(name: "a/data/0", bytes: [0, 0, 128, 63])])
    // The second member is inside the first, where a header of its own stands.
    let outer = Archive.Member(name: "a/x", bytes: inner)
    var shared = Archive.Member(name: "a/data/0", bytes: [0, 0, 128, 63])
    shared.claimedOffset = 30 + 3
    #expect {
      try Archive.read(
        Archive.zip([outer, shared, .init(name: "a/data.pkl", bytes: pickle)]))
    } throws: {
      "\($0)".contains("a/data/0 shares bytes with a/x")
    }
  }

  @Test("a table that is cut, too short for its entries or elsewhere is refused")
  func table() {
    let sound = Archive.zip(members { _ in })
    for count in [1, 5, 21, 22, 23, 60, 100] {
      #expect(throws: WeightFileError.self) { try Archive.read(Array(sound.dropLast(count))) }
      #expect(throws: WeightFileError.self) { try Archive.read(Array(sound.dropFirst(count))) }
    }
    for entries in [0, 1, 3, 65_535] {
      #expect(throws: WeightFileError.self) {
        try Archive.read(Archive.zip(members { _ in }, claimedEntries: entries))
      }
    }
  }
}
