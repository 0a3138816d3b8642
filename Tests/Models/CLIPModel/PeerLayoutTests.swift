import CLIPModel
import DurableFiles
import Foundation
import TestTools
import Testing
import WeightFiles

/// What `Fixtures/layouts.py` prints.
private func layouts(_ action: String, _ folder: String) async throws -> String {
  let script =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/layouts.py"
  return try await PeerPython.run([script, action, folder]).text
}

@Suite("Layouts beside open_clip and transformers", .peers("open_clip", "transformers"))
struct PeerLayoutTests {
  @Test("what the libraries write is read, bit for bit, in every layout and precision")
  func reading() async throws {
    try await ScratchFolder.use { folder in
      _ = try await layouts("write", folder + "/theirs")
      for precision in WeightPrecision.allCases {
        let here = "\(folder)/theirs/\(precision.rawValue)"
        let expected = try SafeTensors.read(here + "/expected.safetensors").tensors
        for (name, activation, layout) in [
          ("open_clip.safetensors", Activation.quickGELU, CLIPLayout.openCLIP),
          ("open_clip.pt", .quickGELU, .openCLIP), ("checkpoint.pt", .quickGELU, .openCLIP),
          ("openai.pt", .quickGELU, .openCLIP), ("custom.pt", .quickGELU, .customText),
          ("hf", nil, .huggingFace), ("hf-shards", nil, .huggingFace),
          ("hf-bin", nil, .huggingFace), ("script.pt", nil, .openCLIP),
        ] as [(String, Activation?, CLIPLayout)] {
          let bundle = try CLIPBundle.read("\(here)/\(name)", activation: activation)
          #expect(bundle.layout == layout)
          #expect(bundle.configuration == smallCLIP(quick: true).configuration, "\(name)")
          let found = bits(of: try bundle.model())
          #expect(
            found == expected.mapValues { $0.values.map(\.bitPattern) },
            "\(precision.rawValue)/\(name)")
        }
        let ema = try CLIPBundle.read(
          here + "/checkpoint.pt", activation: .quickGELU, wrapper: "state_dict_ema")
        #expect(
          try bits(of: ema.model()) != expected.mapValues { $0.values.map(\.bitPattern) })
      }
    }
  }

  @Test("what is written is loaded by the libraries: the same weights, the same features")
  func writing() async throws {
    try await ScratchFolder.use { folder in
      let tokenizer = smallTokenizer()
      try #require(tokenizer.vocabularySize == 600)
      for precision in WeightPrecision.allCases {
        for quick in [true, false] {
          let here = "\(folder)/\(precision.rawValue)-\(quick ? "quick" : "exact")"
          for layout in CLIPExportLayout.allCases where quick || layout != .openAI {
            try CLIPBundle.export(
              smallCLIP(quick: quick), tokenizer: layout == .huggingFace ? tokenizer : nil,
              layout: layout, precision: precision, to: "\(here)/\(layout.rawValue)")
          }
        }
      }
      let lines = try await layouts("check", folder).split(separator: "\n")
      #expect(lines.count == 3 * (3 + 2))
      for line in lines { #expect(line.hasSuffix(" same"), "\(line)") }
    }
  }
}
