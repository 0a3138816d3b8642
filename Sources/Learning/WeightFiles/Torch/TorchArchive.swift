import ZipFiles

/// What `torch.save` and `torch.jit.save` write: a ZIP archive with `data.pkl` and a member per storage.
struct TorchArchive {
  let zip: ZipArchive
  let tree: TensorTree
  let isTorchScript: Bool
  /// The source text of a TorchScript archive; empty in others.
  let code: String
  /// The folder inside the archive, with its slash.
  private let prefix: String

  private static let mostCodeBytes = 16 << 20

  init(_ source: ByteSource, wrapper: String?) throws(WeightFileError) {
    let zip = try source.archive()
    let pickles = zip.names.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    guard let pickle = pickles.first, pickles.count == 1, let member = zip.members[pickle] else {
      throw WeightFileError(
        .otherFormat(
          pickles.isEmpty
            ? "a ZIP archive without data.pkl, which torch.save did not write"
            : "a ZIP archive with \(pickles.count) members named data.pkl",
          advice: "Give a file of torch.save, torch.jit.save, or safetensors."), file: source.name)
    }
    let prefix = String(pickle.dropLast("data.pkl".count))
    if let order = zip.members[prefix + "byteorder"] {
      let text = String(decoding: try zip.bytes(of: order, limit: 64), as: UTF8.self)
      guard text == "little" else {
        throw WeightFileError(
          .otherFormat(
            "an archive of \(text)-endian numbers", advice: "Save it again on another machine."),
          file: source.name)
      }
    }
    isTorchScript =
      zip.members[prefix + "constants.pkl"] != nil
      || zip.names.contains { $0.hasPrefix(prefix + "code/") }
    let graph = try Unpickler.read(
      zip.bytes(of: member, limit: Unpickler.mostBytes), file: source.name,
      isTorchScript: isTorchScript)
    tree = try TensorTree(graph, wrapper: wrapper, file: source.name)
    code = isTorchScript ? try Self.code(zip, prefix) : ""
    self.zip = zip
    self.prefix = prefix
  }

  private static func code(_ zip: ZipArchive, _ prefix: String) throws(WeightFileError) -> String {
    var code = ""
    for name in zip.names where name.hasPrefix(prefix + "code/") && name.hasSuffix(".py") {
      guard let member = zip.members[name] else { continue }
      let bytes = try zip.bytes(of: member, limit: mostCodeBytes - code.utf8.count)
      code += String(decoding: bytes, as: UTF8.self)
    }
    return code
  }

  /// The place of a tensor's storage.
  func place(of tensor: TorchTensor, named name: String) throws(WeightFileError) -> ZipMember {
    guard let member = zip.members[prefix + "data/" + tensor.storage.key] else {
      throw WeightFileError(
        .archive("its storage data/\(tensor.storage.key) is missing"), file: zip.source.name,
        tensor: name)
    }
    let unit = tensor.storage.format?.byteCount ?? 1
    let (bytes, overflow) = tensor.storage.count.multipliedReportingOverflow(by: unit)
    guard !overflow, bytes <= member.count else {
      throw WeightFileError(
        .wrongLength(expected: overflow ? .max : bytes, actual: member.count),
        file: zip.source.name, tensor: name)
    }
    return member
  }
}
