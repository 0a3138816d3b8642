import ZipFiles

/// What a file is, by its first bytes.
enum FileKind {
  case safeTensors
  case zip
  case json

  /// - Throws: ``WeightFileError`` that names what else the file is, and what to do.
  init(of source: ByteSource) throws(WeightFileError) {
    let head = try source.bytes(min(source.size, 512), at: 0)
    func begins(_ text: String) -> Bool { head.starts(with: text.utf8) }
    func refuse(_ what: String, _ advice: String) -> WeightFileError {
      WeightFileError(.otherFormat(what, advice: advice), file: source.name)
    }
    if head.isEmpty { throw refuse("empty", "Fetch the file again.") }
    if begins("PK\u{3}\u{4}") || begins("PK\u{5}\u{6}") {
      self = .zip
    } else if head.count > 8, head[8] == UInt8(ascii: "{"),
      head.littleEndian(0, 8) <= SafeTensors.mostHeaderBytes
    {
      self = .safeTensors
    } else if head[0] == UInt8(ascii: "{") {
      self = .json
    } else if head[0] == 0x80, head.count > 1, head[1] <= 5 {
      throw refuse(
        "a pickle without an archive: torch's format before 1.6, or another program's",
        "Where you trust it, save it again: "
          + "torch.save(torch.load(FILE, weights_only=True), NEW).")
    } else if begins("version https://git-lfs") {
      throw refuse("a pointer of Git LFS, not the file", "Run `git lfs pull` in its folder.")
    } else if String(decoding: head.prefix(200), as: UTF8.self).lowercased().contains("<html")
      || String(decoding: head.prefix(15), as: UTF8.self).lowercased().hasPrefix("<!doctype")
    {
      throw refuse(
        "a web page: the address gave an answer for people",
        "Fetch the file itself, from an address that ends with its name.")
    } else if let what = Self.others.first(where: { head.starts(with: $0.0) })?.1 {
      throw refuse(what, "Give safetensors, a file of torch.save, or OpenAI's archive.")
    } else if source.name.hasSuffix(".safetensors") {
      self = .safeTensors  // Damaged at its beginning; its reader says where.
    } else {
      throw refuse(
        "of no format that is known here",
        "Give safetensors, a file of torch.save, or OpenAI's archive.")
    }
  }

  private static let others: [([UInt8], String)] = [
    ([0x89, 0x48, 0x44, 0x46], "an HDF5 file (Keras or TensorFlow)"),
    (Array("GGUF".utf8), "a GGUF file (llama.cpp)"),
    (Array("ggml".utf8), "a GGML file"),
    ([0x93] + Array("NUMPY".utf8), "an array of numpy"),
    ([0x1F, 0x8B], "packed with gzip"),
    ([0xFD] + Array("7zXZ".utf8), "packed with xz"),
    ([0x28, 0xB5, 0x2F, 0xFD], "packed with zstd"),
    ([0x08], "an ONNX model or another file of protocol buffers"),
  ]
}
