import Foundation
import PipelineCore
import Testing

@Suite struct JSONValueTests {
  @Test("text comes back as it was, and Foundation reads the same")
  func strings() throws {
    let texts = ["", "a\"b\\c/d", "\u{0}\u{1f}\u{7f}\n\r\t", "é🎨\u{202b}", "{}", "\u{2028}"]
    for text in texts {
      let bytes = Array(JSONValue.string(text).serialized.utf8)
      #expect(try JSONValue.parse(bytes) == .string(text))
      #expect(try JSONDecoder().decode(String.self, from: Data(bytes)) == text)
    }
  }

  @Test(
    "what RFC 8259 forbids is refused",
    arguments: [
      "", "01", "1.", ".5", "+1", "1e", "-", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "\"\n\"",
      "\"\\x\"",
      "nan", "[", "\"", "1 2", "\"\\u12g4\"", "\"\\udc00\"", "{\"a\" 1}", "tru",
    ])
  func refused(_ text: String) {
    #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
  }

  @Test(
    "order and numbers stay", arguments: ["{\"b\":-1.50e+3,\"a\":[true,false,null,{}],\"b\":[]}"])
  func exact(_ text: String) throws {
    #expect(try JSONValue.parse(Array(text.utf8)).serialized == text)
  }
}
