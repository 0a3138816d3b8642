import CLIPModel
import DurableFiles
import Foundation
import Testing
import WeightFiles

/// A Python with open_clip and transformers: PAIRLOOM_PEERS_PYTHON.
private enum Peers {
  static let python: String? = {
    guard let path = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"],
      // A Python without the modules is no peer.
      (try? run(path, ["-c", "import open_clip, transformers"])) != nil
    else { return nil }
    return path
  }()

  struct Failed: Error { var output: String }

  /// What the program prints; standard error goes to the terminal.
  static func run(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["-W", "ignore"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(output: output) }
    return output
  }

  static func layouts(_ action: String, _ folder: String) throws -> String {
    let script =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/layouts.py"
    return try run(python ?? "", [script, action, folder])
  }
}

@Suite("Layouts beside open_clip and transformers", .enabled(if: Peers.python != nil))
struct PeerLayoutTests {
  @Test("what the libraries write is read, bit for bit, in every layout and precision")
  func reading() throws {
    try withModelFolder { folder in
      _ = try Peers.layouts("write", folder + "/theirs")
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
  func writing() throws {
    try withModelFolder { folder in
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
      let lines = try Peers.layouts("check", folder).split(separator: "\n")
      #expect(lines.count == 3 * (3 + 2))
      for line in lines { #expect(line.hasSuffix(" same"), "\(line)") }
    }
  }
}
