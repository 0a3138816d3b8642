import FuzzSupport
import IngestStage

private let files = ["csv", "tsv", "json", "jsonl", "txt"].map { FuzzFile("." + $0) }

/// Any list of text ends in rows or in a `ListError`; the input's first byte chooses the format.
@main struct ListFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let file = files[Int(first) % files.count]
    file.write(bytes.dropFirst())
    let options = IngestOptions(input: file.path, chunkRows: 100)
    do {
      try ListSample.check(options)
      _ = try ListSample.captions(of: options, count: 10_000)
    } catch {
      _ = error.description
    }
  }

  private static func seeds() throws -> [[UInt8]] {
    let lists = [
      "url,caption,width\r\nhttp://a.test/1,\"a \"\"b\"\"\nc\",3\r\nhttp://a.test/2,d\r\n",
      "\u{FEFF}url\tcaption\nhttp://a.test/1\ta\n\nhttp://a.test/2\t\"b\n",
      "[{\"url\": \"http://a.test/\\u00e9\", \"caption\": \"\\ud83d\\ude00\", \"n\": -1.5e3}, {}]",
      "{\"url\": \"http://a.test/1\", \"x\": {\"y\": [null, true]}}\n{\"caption\": 1}\n",
      "http://a.test/1\r\nhttp://a.test/2\n",
    ]
    return lists.enumerated().map { [UInt8($0)] + Array($1.utf8) }
  }
}
