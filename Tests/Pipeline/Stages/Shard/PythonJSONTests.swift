import Foundation
import PipelineCore
import ShardStage
import Testing

@Suite struct PythonJSONTests {
  static let values = [
    "null", "true", "[]", "{}", "[1, 2.50, -3e+5]", #"{"a": {"b": [null, {"c": "d"}]}, "e": []}"#,
    #""quote \" slash / back \\ tab \t line \n return \r bell \u0007 del \u007f""#,
    #""Zürich – 東京 😀 é""#, #"{"caption": "\b\f", "Grüße": "null"}"#,
  ]

  @Test("the text is that of Python's json.dumps(value, indent=4)", arguments: values)
  func likePython(text: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      "import json, sys; sys.stdout.write(json.dumps(json.load(sys.stdin), indent=4))",
    ]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // Numbers keep the list's digits here and become Python's own there.
    let plain = text.replacing("2.50", with: "2.5").replacing("-3e+5", with: "-300000.0")
    try input.fileHandleForWriting.write(contentsOf: Data(plain.utf8))
    try input.fileHandleForWriting.close()
    let expected = String(
      decoding: try #require(try output.fileHandleForReading.readToEnd()), as: UTF8.self)
    process.waitUntilExit()
    let value = try JSONValue.parse(Array(plain.utf8))
    #expect(PythonJSON.text(value, indent: 4) == expected)
  }
}
