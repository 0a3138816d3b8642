import CLIPModel
import DurableFiles
import Foundation
import TensorEngine
import Testing
import WeightFiles

@Suite("pairloom model")
struct ModelCommandTests {
  private let model = CLIP(
    CLIPConfiguration(
      embedDim: 16, vision: .init(imageSize: 16, layers: 1, width: 64, patchSize: 8),
      text: .init(contextLength: 8, vocabularySize: 20, width: 64, heads: 1, layers: 1),
      quickGELU: true), seed: 1)

  private func json(_ arguments: [String]) throws -> [String: Any] {
    let result = try Program.run(["model", "info", "--json"] + arguments)
    #expect(result.status == 0, "\(result.error)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  @Test("a model goes through every layout and stays the same")
  func convert() throws {
    let folder = try TemporaryFolder()
    try CLIPBundle.export(model, layout: .pairloom, to: folder.path + "/0")
    let first = try json([folder.path + "/0"])
    var path = folder.path + "/0"
    for (index, layout) in ["open_clip", "huggingface", "openai", "pairloom"].enumerated() {
      let out = folder.path + "/\(index + 1)"
      let asked = path.hasSuffix("/3") ? ["--activation", "quick-gelu"] : []
      let result = try Program.run(
        ["model", "convert", path, "--out", out, "--layout", layout] + asked)
      #expect(result.status == 0, "\(layout): \(result.error)")
      path = out
    }
    let last = try json([path])
    #expect(last["weights_sha256"] as? String == first["weights_sha256"] as? String)
    #expect(last["activation"] as? String == "quick-gelu")
    #expect(last["parameters"] as? Int == first["parameters"] as? Int)

    let full = try Program.run(["model", "convert", path, "--out", path, "--layout", "pairloom"])
    #expect(full.status == 2 && full.error.contains("is not empty"))
  }

  @Test("info looks into a file that does not say its activation; convert asks for it")
  func activation() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/w.pt"
    try DurableFile.makeFolder(folder.path)
    try TorchWriter.write(model.state, as: .float16, to: path)
    let facts = try json([path])
    #expect(facts["activation"] == nil)
    #expect((facts["configuration"] as? [String: Any])?["quick_gelu"] == nil)
    #expect(facts["dtypes"] as? [String: Int] == ["F16": model.state.count])
    let lines = try Program.run(["model", "info", path])
    #expect(lines.output.contains("the file does not say it; give --activation"))
    let out = folder.path + "/out"
    let asked = try Program.run(["model", "convert", path, "--out", out, "--layout", "open_clip"])
    #expect(asked.status == 2 && asked.error.contains("--activation quick-gelu"))
    #expect(!DurableFile.exists(out))
  }

  @Test("a file that asks for a function is refused with its name")
  func foreignFunction() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let path = root.appendingPathComponent("../../Learning/WeightFiles/Fixtures/global.pt").path
    let result = try Program.run(["model", "info", path])
    #expect(result.status == 1)
    #expect(result.error.contains("asks for posix.system"))
  }
}
