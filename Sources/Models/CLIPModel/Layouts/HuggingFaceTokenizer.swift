import DurableFiles
import FoundationEssentials
import Tokenizers

/// The tokenizer files of a Hugging Face folder: `merges.txt`, `vocab.json`, `tokenizer.json`.
enum HuggingFaceTokenizer {
  /// Tells whose tokenizer a folder has: CLIP's, another's merges, or (without files) CLIP's.
  ///
  /// - Parameters:
  ///   - folder: Where the files may be.
  ///   - vocabularySize: The model's.
  /// - Returns: The source, and the file that said so.
  /// - Throws: ``CLIPError`` where the tokenizer is no byte-pair encoding of CLIP's kind.
  static func source(
    in folder: String, vocabularySize: Int
  ) throws -> (source: CLIPBundle.TokenizerSource, file: String?) {
    let (merges, vocabulary, combined) = (
      folder + "/merges.txt", folder + "/vocab.json", folder + "/tokenizer.json"
    )
    if DurableFile.exists(vocabulary) {
      let bytes = try DurableFile.read(vocabulary)
      let ids = try decoding(vocabulary) {
        try JSONDecoder().decode([String: Int].self, from: Data(bytes))
      }
      guard ids.count == vocabularySize, ids["<|endoftext|>"] == vocabularySize - 1 else {
        throw CLIPError(
          .vocabulary(tokenizer: ids.count, model: vocabularySize), file: vocabulary)
      }
    }
    if DurableFile.exists(merges) {
      let text = String(decoding: try DurableFile.read(merges), as: UTF8.self)
      return (try isCLIP(lines(text)) ? .clip : .merges("merges.txt"), "merges.txt")
    }
    guard DurableFile.exists(combined) else { return (.clip, nil) }
    let bytes = try DurableFile.read(combined)
    let model = try decoding(combined) {
      try JSONDecoder().decode(Combined.self, from: Data(bytes)).model
    }
    guard model.type == nil || model.type == "BPE", try isCLIP(model.merges?.map(\.text) ?? [])
    else {
      throw CLIPError(
        .configuration(
          "its merges are not CLIP's; put the table beside it as merges.txt"), file: combined)
    }
    return (.clip, "tokenizer.json")
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").drop { $0.hasPrefix("#version") }.map(String.init)
  }

  private static func isCLIP(_ merges: [String]) throws -> Bool {
    // OpenAI's file goes on behind the merges that are read; Hugging Face's ends with them.
    let clip = lines(try BytePairTokenizer.clip().mergesText)
    return merges.count >= clip.count && merges.prefix(clip.count).elementsEqual(clip)
  }

  private struct Combined: Decodable {
    var model: Model

    struct Model: Decodable {
      var type: String?
      var merges: [Merge]?
    }

    /// `"a b"`, in newer files `["a", "b"]`.
    struct Merge: Decodable {
      var text: String
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
          self.text = text
        } else {
          text = try container.decode([String].self).joined(separator: " ")
        }
      }
    }
  }

  /// Writes `vocab.json`, `merges.txt` and what names them.
  static func write(_ tokenizer: BytePairTokenizer, to folder: String) throws {
    let merges = lines(tokenizer.mergesText)
    let bytes = byteSpellings
    let symbols =
      bytes + bytes.map { $0 + "</w>" } + merges.map { $0.replacing(" ", with: "") }
      + ["<|startoftext|>", "<|endoftext|>"]
    let entries = symbols.enumerated().map { "\(quoted($1)):\($0)" }
    try DurableFile.write("{\(entries.joined(separator: ","))}\n", to: folder + "/vocab.json")
    try DurableFile.write(
      "#version: 0.2\n" + merges.joined(separator: "\n") + "\n", to: folder + "/merges.txt")
    try DurableFile.write(
      """
      {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "model_max_length": \(tokenizer.contextLength),
        "pad_token": "<|endoftext|>",
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": "<|endoftext|>"
      }

      """, to: folder + "/tokenizer_config.json")
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// How the 256 bytes print, in the order of their ids (GPT-2's `bytes_to_unicode`).
  private static var byteSpellings: [String] {
    let printable = Array(33...126) + Array(161...172) + Array(174...255)
    let scalars = printable.map { UInt32($0) } + (0..<68).map { UInt32(256 + $0) }
    return scalars.compactMap { Unicode.Scalar($0).map { String(Character($0)) } }
  }
}
