import Testing
import WeightFiles

private typealias Archive = TorchArchives

/// Pickles of a few bytes that ask for far more: each refused by a count, before the memory is taken.
@Suite("What a pickle may ask for")
struct PickleMemoryTests {
  private func refusal(_ pickle: [UInt8]) throws -> String {
    let four = [UInt8](repeating: 0, count: 16)
    do throws(WeightFileError) {
      _ = try Archive.read(Archive.torch(pickle, storages: [four]))
    } catch {
      return error.description
    }
    return "nothing was refused"
  }

  private let tensor = Archive.tensor(count: 4, offset: 0, shape: [4], strides: [1])

  @Test("an empty view may begin anywhere, and is read as nothing")
  func emptyView() throws {
    for shape in [[0], [2, 0], [1 << 48, 0], [0, 1 << 48]] {
      let pickle = Archive.stateDict(
        Archive.tensor(
          count: 4, offset: 1 << 62, shape: shape, strides: shape.map { _ in 1 }))
      let file = try Archive.read(
        Archive.torch(pickle, storages: [[UInt8](repeating: 0, count: 16)]))
      #expect(file.tensors["w"]?.shape == shape)
    }
  }

  @Test("a long key over many others is refused by the bytes of their names")
  func names() throws {
    let inner =
      Array("}(".utf8)
      + (0..<1000).flatMap { Archive.text("\($0)") + [UInt8(ascii: "K"), 1] } + Array("u".utf8)
    let pickle =
      [0x80, 2] + Array("}(".utf8) + Archive.text("w") + tensor
      + Archive.text(String(repeating: "k", count: 1 << 16)) + inner + Array("u.".utf8)
    #expect(try refusal(pickle).contains("its names have more than 16777216 bytes"))
  }

  @Test("a text that is encoded again and again is refused by the bytes that it makes")
  func encoded() throws {
    let text = String(repeating: "a", count: 1 << 20)
    let pickle =
      [0x80, 2] + Archive.global("_codecs", "encode") + [0x71, 0] + Archive.text(text)
      + [0x85, 0x71, 1] + (0..<70).flatMap { _ in [0x68, 0, 0x68, 1, 0x52] as [UInt8] }
      + Array(".".utf8)
    #expect(try refusal(pickle).contains("more than 67108864 bytes that it makes"))
  }

  @Test("lists, dictionaries and copies of them are refused by all their values together")
  func containers() throws {
    let million = [UInt8](repeating: UInt8(ascii: "N"), count: 1_000_000)
    let filled = Array("(".utf8) + million + Array("e".utf8)
    let list = [0x80, 2] + Array("]".utf8) + [filled, filled, filled, filled, filled].joined()
    #expect(try refusal(list + Array(".".utf8)).contains("more than 4194304 values in"))
    // OrderedDict of a dictionary is a copy as soon as it gets a key more.
    let dictionary = Array("}(".utf8) + million + Array("u".utf8)
    let copies =
      [0x80, 2] + Archive.global("collections", "OrderedDict") + [0x71, 0] + dictionary
      + [0x85, 0x71, 1] + (0..<5).flatMap { _ in [0x68, 0, 0x68, 1, 0x52] as [UInt8] }
      + Array(".".utf8)
    #expect(try refusal(copies).contains("more than 4194304 values in"))
  }

  @Test(
    "a dictionary that stands behind one key half a million times is looked at once",
    .timeLimit(.minutes(1)))
  func repeatedWrapper() throws {
    let inner =
      Array("}(".utf8) + [UInt8](repeating: UInt8(ascii: "N"), count: 1_000_000)
      + Array("u".utf8) + [0x71, 0]
    let pickle =
      [0x80, 2] + Array("}".utf8) + Archive.text("state_dict") + [0x71, 1] + inner
      + Array("s(".utf8) + (0..<500_000).flatMap { _ in [0x68, 1, 0x68, 0] as [UInt8] }
      + Array("u.".utf8)
    #expect(try refusal(pickle).contains("no weights were found"))
  }

  @Test("a storage with a name that torch never gives is refused")
  func storageName() throws {
    let tensor = Archive.tensor(
      count: 4, offset: 0, shape: [4], strides: [1], key: String(repeating: "0", count: 1001))
    #expect(try refusal(Archive.stateDict(tensor)).contains("a storage that is not torch's"))
  }
}
