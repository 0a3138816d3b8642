import Compression
public import TensorEngine
import ZipFiles

/// An opened weight file: what it holds, and its tensors on demand.
///
/// The format is told by content: safetensors, the ZIP archives of `torch.save`, those of
/// `torch.jit.save`, and Hugging Face's index of shards. Everything else is refused by name. All types of
/// number become Float. A tensor is read straight from its place in the file: memory is taken for the
/// tensor, and once more for its bytes.
public final class WeightReader {
  private enum Place {
    /// Numbers one after the other, from a byte of the file on.
    case file(start: Int)
    case archive(TorchTensor, ZipMember)
    case shard(WeightReader)
  }

  /// Where it came from, for messages.
  public let name: String
  public let contents: WeightContents
  /// Every tensor, sorted by name.
  public let entries: [WeightEntry]
  private let source: ByteSource
  private let archive: ZipArchive?
  private let places: [String: (entry: WeightEntry, place: Place)]
  /// Members whose checksum was compared.
  private var checked: Set<String> = []
  /// The member that was unpacked last: deflate has no way to begin in the middle.
  private var unpacked: (name: String, bytes: [UInt8])?

  /// Opens a file and checks its table of contents; no tensor is read yet.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - wrapper: The key to read where a checkpoint holds several state dicts, such as `state_dict_ema`.
  /// - Throws: ``WeightFileError`` that says what else the file is, or where it is damaged.
  public convenience init(_ path: String, wrapper: String? = nil) throws(WeightFileError) {
    try self.init(ByteSource.weights(path), wrapper: wrapper)
  }

  /// As ``init(_:wrapper:)``, over the bytes of a file.
  package convenience init(bytes: [UInt8], name: String) throws(WeightFileError) {
    try self.init(.bytes(bytes, name: name), wrapper: nil)
  }

  private convenience init(_ source: ByteSource, wrapper: String?) throws(WeightFileError) {
    switch try FileKind(of: source) {
    case .safeTensors: try self.init(safeTensors: source)
    case .zip: try self.init(torch: source, wrapper: wrapper)
    case .json: try self.init(index: source)
    }
  }

  init(safeTensors source: ByteSource) throws(WeightFileError) {
    let (header, dataStart) = try SafeTensors.header(of: source)
    name = source.name
    self.source = source
    archive = nil
    contents = WeightContents(
      format: .safeTensors, byteCount: source.size, metadata: header.metadata)
    var places: [String: (entry: WeightEntry, place: Place)] = [:]
    for entry in header.entries {
      places[entry.name] = (
        WeightEntry(name: entry.name, shape: entry.shape, format: entry.format),
        .file(start: dataStart + entry.begin)
      )
    }
    self.places = places
    entries = Self.sorted(places)
  }

  private init(torch source: ByteSource, wrapper: String?) throws(WeightFileError) {
    let torch = try TorchArchive(source, wrapper: wrapper)
    name = source.name
    self.source = source
    archive = torch.zip
    contents = WeightContents(
      format: torch.isTorchScript ? .torchScript : .torch, byteCount: source.size,
      wrappers: torch.tree.wrappers, alternatives: torch.tree.alternatives,
      facts: torch.tree.facts, code: torch.code)
    var places: [String: (entry: WeightEntry, place: Place)] = [:]
    var left = Self.mostNumbers(of: source)
    for (name, tensor) in torch.tree.tensors {
      left -= tensor.count
      guard left >= 0 else {
        throw WeightFileError(
          .archive("its tensors have far more numbers than the file has bytes"), file: source.name)
      }
      places[name] = (
        WeightEntry(name: name, shape: tensor.shape, format: tensor.format),
        .archive(tensor, try torch.place(of: tensor, named: name))
      )
    }
    self.places = places
    entries = Self.sorted(places)
  }

  /// The most numbers that the tensors of an archive may have together.
  ///
  /// Tied weights share a storage; a file that gives out its bytes again and again is an attack.
  private static func mostNumbers(of source: ByteSource) -> Int { 8 * source.size + 1 << 20 }

  private init(index source: ByteSource) throws(WeightFileError) {
    let index = try ShardIndex(source)
    var places: [String: (entry: WeightEntry, place: Place)] = [:]
    var bytes = source.size
    for (file, names) in index.shards {
      let shard = try WeightReader(file)
      bytes += shard.contents.byteCount
      for name in names {
        guard let (entry, _) = shard.places[name] else {
          throw WeightFileError(.index("\(file) does not hold it"), file: source.name, tensor: name)
        }
        places[name] = (entry, .shard(shard))
      }
    }
    name = source.name
    self.source = source
    archive = nil
    contents = WeightContents(format: .sharded, byteCount: bytes, metadata: index.metadata)
    self.places = places
    entries = Self.sorted(places)
  }

  private static func sorted(
    _ places: [String: (entry: WeightEntry, place: Place)]
  ) -> [WeightEntry] {
    places.values.map(\.entry).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The shapes of all tensors.
  public var shapes: [String: [Int]] {
    Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.shape) })
  }

  /// Reads one tensor; its name must be among ``entries``.
  public func tensor(_ name: String) throws(WeightFileError) -> Tensor {
    guard let (entry, place) = places[name] else {
      preconditionFailure("\(self.name) has no tensor \(name)")
    }
    switch place {
    case .file(let start):
      let bytes = try source.bytes(entry.count * entry.format.byteCount, at: start)
      return entry.format.tensor(shape: entry.shape, bytes)
    case .archive(let view, let member):
      return entry.format.tensor(shape: entry.shape, try bytes(of: view, in: member))
    case .shard(let shard): return try shard.tensor(name)
    }
  }

  /// Reads every tensor.
  public func file() throws(WeightFileError) -> WeightFile {
    var file = WeightFile(tensors: [:], metadata: contents.metadata, name: name)
    file.tensors.reserveCapacity(entries.count)
    for entry in entries { file.tensors[entry.name] = try tensor(entry.name) }
    unpacked = nil
    return file
  }

  /// The numbers of a view in the order of its shape.
  private func bytes(
    of view: TorchTensor, in member: ZipMember
  ) throws(WeightFileError) -> [UInt8] {
    // The offset of an empty view was compared with nothing.
    if view.count == 0 { return [] }
    let size = view.format.byteCount
    let (start, count) = (view.offset * size, view.span * size)
    let seen: [UInt8]
    if member.isDeflated {
      let whole = try unpack(member)
      guard count <= whole.count, start <= whole.count - count else {
        throw WeightFileError(.outsideStorage(elements: whole.count / size), file: name)
      }
      seen = Array(whole[start..<(start + count)])
    } else {
      guard count <= member.count, start <= member.count - count else {
        throw WeightFileError(.outsideStorage(elements: member.count / size), file: name)
      }
      seen = try source.bytes(count, at: member.start + start)
      try check(member, whole: count == member.count ? seen : nil)
    }
    return view.isContiguous ? seen : view.gathered(from: seen)
  }

  private func unpack(_ member: ZipMember) throws(WeightFileError) -> [UInt8] {
    if let unpacked, unpacked.name == member.name { return unpacked.bytes }
    unpacked = nil
    guard let archive else { preconditionFailure("\(name) is no archive") }
    // What its tensors may take at most, which was checked when it was opened.
    let limit = NumberFormat.float64.byteCount * Self.mostNumbers(of: source)
    let bytes = try archive.bytes(of: member, limit: limit)
    unpacked = (member.name, bytes)
    return bytes
  }

  /// Compares a member's checksum when it is first looked at.
  private func check(_ member: ZipMember, whole: [UInt8]?) throws(WeightFileError) {
    guard let archive, member.crc != 0, checked.insert(member.name).inserted else { return }
    if let whole {
      try archive.verify(member, CRC32.checksum(whole))
    } else {
      try archive.verify(member, nil)
    }
  }
}
