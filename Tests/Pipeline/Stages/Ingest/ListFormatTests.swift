import Foundation
import IngestStage
import PairDataset
import PipelineCore
import SeededRandom
import Testing

@Suite struct ListFormatTests {
  /// The same three pairs in every text format with columns.
  static let captions = ["one", "a \"b\", c\td\r\ne\nü🎨", ""]
  static let lists: [(name: String, text: String)] = [
    (
      "x.csv",
      "id,url,caption\n1,http://a.test/1,one\n2,http://a.test/2,\"a \"\"b\"\", c\td\r\ne\nü🎨\"\n3,http://a.test/3,\n"
    ),
    (
      "x.tsv",
      "id\turl\tcaption\n1\thttp://a.test/1\tone\n\n2\thttp://a.test/2\t\"a \"\"b\"\", c\td\r\ne\nü🎨\"\n\"3\"\t\"http://a.test/3\"\t"
    ),
    (
      "x.jsonl",
      #"""
      {"id":"1","url":"http://a.test/1","caption":"one"}

      { "id" : "2", "url":"http:\/\/a.test/2", "caption":"a \"b\", c\td\r\ne\n\u00fc\ud83c\udfa8"}
      {"id":"3","url":"http://a.test/3","caption":null}
      """#
    ),
    (
      "x.json",
      #"""
      [ {"id":"1","url":"http://a.test/1","caption":"one"},
        {"id":"2","url":"http://a.test/2","caption":"a \"b\", c\td\r\ne\nü🎨"}
      , {"id":"3","url":"http://a.test/3","caption":""} ]
      """#
    ),
    (
      "x.json",
      #"""
      {"id":{"0":"1","1":"2","2":"3"},
       "url":{"0":"http://a.test/1","1":"http://a.test/2","2":"http://a.test/3"},
       "caption":{"0":"one","1":"a \"b\", c\td\r\ne\nü🎨","2":null}}
      """#
    ),
    (
      "x.json",
      #"""
      {"id":["1","2","3"],"url":["http://a.test/1","http://a.test/2","http://a.test/3"],
       "caption":["one","a \"b\", c\td\r\ne\nü🎨",""]}
      """#
    ),
    (
      "x.json",
      #"""
      {"id":"1","url":"http://a.test/1","caption":"one"}
      {"id":"2","url":"http://a.test/2",
       "caption":"a \"b\", c\td\r\ne\nü🎨"}{"id":"3","url":"http://a.test/3"}
      """#
    ),
  ]

  @Test(
    "a list is the same in every format: plain, gzip, zstd, in several members, with a mark",
    arguments: lists.indices)
  func same(_ index: Int) async throws {
    let (name, text) = Self.lists[index]
    let plain = Array(text.utf8)
    let half = plain.count / 2
    let forms: [(String, [UInt8])] = [
      (name, plain), (name, [0xEF, 0xBB, 0xBF] + plain), (name + ".gz", try gzipped(plain)),
      (name + ".zst", try zstandard(plain)),
      (name + ".gz", try gzipped(Array(plain[..<half])) + gzipped(Array(plain[half...]))),
      (name + ".zst", try zstandard(Array(plain[..<half])) + zstandard(Array(plain[half...]))),
      (name + ".gz", try gzipped(plain) + [UInt8](repeating: 0, count: 512)),
      // A wrong name is no matter where the content tells.
      (name, try gzipped(plain)), (name, try zstandard(plain)),
    ]
    for (name, bytes) in forms {
      let fixture = try ListFixture()
      defer { fixture.remove() }
      let list = try await fixture.ingest(bytes, name: name)
      #expect(list.rows.map(\.url) == (1...3).map { "http://a.test/\($0)" })
      #expect(list.rows.map(\.caption) == Self.captions)
      #expect(list.rows.map(\.columns) == (1...3).map { [.init("id", .string("\($0)"))] })
      #expect(list.rejects.isEmpty)
      #expect(try fixture.columns() == ["id:string"])
      // The lines are those of the value that others read, to the byte.
      let table = try String(contentsOfFile: fixture.folder.chunkTable(0), encoding: .utf8)
      #expect(table == list.rows.map { $0.json.serialized + "\n" }.joined())
    }
  }

  @Test("a folder, a glob and a list give their files' rows in order, whatever the formats")
  func places() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    try fixture.write("url,caption\nhttp://a.test/b,b\n", to: "in/b.csv")
    try fixture.write("http://a.test/a\n", to: "in/a.txt")
    try fixture.write(
      try gzipped(Array("{\"url\":\"http://a.test/c\"}\n".utf8)), to: "in/c.jsonl.gz")
    for other in ["in/README.md", "in/.hidden.csv", "in/sub/z.txt", "in/x"] {
      try fixture.write("http://a.test/wrong\n", to: other)
    }
    func urls(_ input: String) async throws -> [String] {
      try await fixture.ingest(IngestOptions(input: input)).rows.map { String($0.url.suffix(1)) }
    }
    let folder = fixture.path + "/in"
    #expect(try await urls(folder) == ["a", "b", "c"])
    #expect(try await urls(folder + "/") == ["a", "b", "c"])
    #expect(try await urls(folder + "/[bc].*") == ["b", "c"])
    #expect(try await urls(folder + "/{b.csv,a.txt}") == ["a", "b"])
    #expect(try await urls("\(folder)/c.jsonl.gz, \(folder)/*.txt") == ["c", "a"])
    #expect(try await urls("\(folder)/b.csv,\(folder)/?.csv") == ["b"])
    try fixture.write("http://a.test/d\n", to: "in/d,e.txt")
    #expect(try await urls(folder + "/d,e.txt") == ["d"])
    let files = try JSONValue.parse(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: fixture.folder.chunkFiles))))
    guard case .array(let counts) = files else { throw PipeError(arguments: []) }
    #expect(counts.map { $0["rows"]?.integer } == [1])
    for wrong in [folder + "/none.csv", folder + "/*.tsv", folder + "/sub/none", ""] {
      // An empty input has no rows; the recipe refuses it earlier.
      if wrong.isEmpty { continue }
      await #expect(throws: ListError.self) { try await urls(wrong) }
    }
  }

  @Test("whether a list has captions is told by its columns, not by what is in them")
  func captionFacts() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    for (name, text, hasCaptions) in [
      ("a.txt", "http://a.test/\n", false), ("a.csv", "url\nhttp://a.test/\n", false),
      ("b.csv", "url,caption\nhttp://a.test/,\n", true),
      ("a.jsonl", "{\"url\":\"http://a.test/\"}\n", false),
      ("b.jsonl", "{\"url\":\"http://a.test/\",\"text\":null}\n", true),
      ("a.json", "{\"url\":[\"http://a.test/\"]}", false),
      ("b.json", "[{\"url\":\"http://a.test/\",\"alt\":\"\"}]", true),
    ] {
      _ = try await fixture.ingest(text, name: name)
      #expect(try ListColumns.haveCaptions(fixture.folder) == hasCaptions, "\(name)")
    }
  }

  @Test("a run's folder is no list: its shards are, and the refusal names them")
  func runFolder() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    try fixture.write("", to: "old/ledger.sqlite")
    try fixture.write("url\nhttp://a.test/1\n", to: "old/rejects.csv")
    for input in ["/old", "/old/"] {
      do {
        _ = try await fixture.ingest(IngestOptions(input: fixture.path + input))
        Issue.record("a run's folder was read")
      } catch let error as ListError {
        #expect("\(error)".contains("name \(fixture.path)/old/shards to weave its pairs anew"))
      }
    }
  }

  @Test("a range of numbers stands for each of its files, which must be there")
  func ranges() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    for number in ["08", "09", "10"] {
      try fixture.write("http://a.test/\(number)\n", to: "in/\(number).txt")
    }
    let path = fixture.path + "/in/"
    let list = try await fixture.ingest(IngestOptions(input: path + "{08..10}.txt"))
    #expect(list.rows.map { String($0.url.suffix(2)) } == ["08", "09", "10"])
    for missing in ["{08..11}.txt", "{8..10}.txt"] {
      await #expect(throws: ListError.self) {
        try await fixture.ingest(IngestOptions(input: path + missing))
      }
    }
  }

  @Test("a lone CR is text where lines end otherwise, as pandas writes it, and a line's end else")
  func carriageReturns() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    for end in ["\n", "\r\n"] {
      let list = try await fixture.ingest(
        "url,caption,x\(end)http://a.test/1,a\rb,1\(end)http://a.test/2,c,2", name: "x.csv")
      #expect(list.rows.map(\.caption) == ["a\rb", "c"])
    }
    let old = try await fixture.ingest(
      "url,caption\rhttp://a.test/1,a\rhttp://a.test/2,b\r", name: "x.csv")
    #expect(old.rows.map(\.caption) == ["a", "b"])
    #expect(old.rejects.isEmpty)
  }

  @Test("a reject names its file and the line there; rows are numbered through")
  func rejectsOfFiles() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let a = try fixture.write("url,x\nhttp://a.test/1,1\nragged\n", to: "a.csv")
    let b = try fixture.write("{}\n{\"url\":\"http://a.test/1\"}\n", to: "b.jsonl")
    let list = try await fixture.ingest(IngestOptions(input: "\(a),\(b)"))
    #expect(list.rows.map(\.row) == [0, 3])
    #expect(list.rows.map { $0.drop?.survivor } == [nil, 0])
    #expect(
      list.rejects.map(\.serialized) == [
        #"{"file":"\#(a)","line":3,"row":1,"reason":"1 fields where the header has 2"}"#,
        #"{"file":"\#(b)","line":1,"row":2,"reason":"no url or URL"}"#,
      ])
    #expect(list.report.facts == ["rows": 4, "rejected": 2, "chunks": 1, "files": 2])
  }

  @Test("a recipe gives one text or a list, and its format")
  func recipe() throws {
    var reader = try RecipeReader(
      yaml: "input: [a.csv, b.csv]\nformat: ndjson\nhash_column: sha256", path: "r.yaml")
    let options = try IngestOptions(from: &reader)
    #expect(options.inputs == ["a.csv", "b.csv"])
    #expect(options.format == .jsonl && options.hashColumn == "sha256")
    var one = try RecipeReader(yaml: "input: a,b.csv", path: "r.yaml")
    #expect(try IngestOptions(from: &one).inputs == ["a,b.csv"])
    #expect(throws: RecipeError.self) {
      var wrong = try RecipeReader(yaml: "format: xls", path: "r.yaml")
      _ = try IngestOptions(from: &wrong)
    }
  }

  @Test("a format that is named holds whatever the file's name says")
  func forced() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let list = try await fixture.ingest(
      Array("http://a.test/1,x".utf8), name: "x.csv", format: .txt)
    #expect(list.rows.map(\.url) == ["http://a.test/1,x"])
  }

  @Test("a damaged, cut or wrongly named file is an error that names it")
  func damaged() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    var random = RandomStream(seed: 7)
    let text = (0..<20_000).map { _ in "http://a.test/\(random.next())\n" }.joined()
    for (ending, bytes) in [
      (".gz", try gzipped(Array(text.utf8))), (".zst", try zstandard(Array(text.utf8))),
    ] {
      var flipped = bytes
      flipped[bytes.count / 2] ^= 0x55
      for (bytes, words) in [
        (Array(bytes.dropLast(5)), "byte \(bytes.count - 5)"), (flipped, "damaged"),
        (bytes + Array("tail".utf8), "damaged"), (Array(text.utf8), "but it is no"), ([], "no"),
      ] {
        let error = await #expect(throws: ListError.self) {
          try await fixture.ingest(bytes, name: "x.txt" + ending)
        }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.description.contains("x.txt" + ending) == true)
      }
    }
  }

  @Test("UTF-16 is named, with the remedy", arguments: ["UTF-16LE", "UTF-16BE", "UTF-16"])
  func utf16(_ encoding: String) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let bytes = try piped(
      ["iconv", "-t", encoding], Array("url,caption\nhttp://a.test/1,x\n".utf8))
    let error = await #expect(throws: ListError.self) {
      try await fixture.ingest(bytes, name: "x.csv")
    }
    #expect(error?.description.contains("iconv") == true)
  }

  @Test("NUL bytes and broken UTF-8 cost their rows, in every text format")
  func noText() async throws {
    let good = "http://a.test/1"
    let lists: [(String, [UInt8], [UInt8], [UInt8])] = [
      ("x.txt", [], [], [0x0A]), ("x.csv", Array("url\n".utf8), [], [0x0A]),
      ("x.jsonl", [], Array("{\"url\":\"".utf8), Array("\"}\n".utf8)),
    ]
    for (name, head, before, after) in lists {
      for bad: [UInt8] in [[0], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
        let fixture = try ListFixture()
        defer { fixture.remove() }
        let bytes =
          head + before + Array(good.utf8) + bad + after + before + Array(good.utf8) + after
        let list = try await fixture.ingest(bytes, name: name)
        #expect(list.rows.map(\.url) == [good])
        #expect(list.rejects.count == 1 && list.rejects[0]["row"]?.integer == 0)
        #expect(list.rejects[0]["file"]?.text == fixture.path + "/" + name)
      }
    }
  }

  @Test("a row of many megabytes is rejected, and the rows around it stay")
  func enormous() async throws {
    let huge = String(repeating: "x", count: 17 << 20)
    for (name, head, row) in [
      ("x.txt", "", "\(huge)\n"), ("x.csv", "url,caption\n", "http://a.test/,\(huge)\n"),
      ("x.csv", "url,caption\n", "http://a.test/,\"\(huge)\"\n"),
      ("x.jsonl", "", "{\"url\":\"\(huge)\"}\n"),
    ] {
      let fixture = try ListFixture()
      defer { fixture.remove() }
      func good(_ number: Int) -> String {
        switch name {
        case "x.txt": "http://a.test/\(number)\n"
        case "x.csv": "http://a.test/\(number),\n"
        default: "{\"url\":\"http://a.test/\(number)\"}\n"
        }
      }
      let list = try await fixture.ingest(head + good(1) + row + good(2), name: name)
      #expect(list.rows.map(\.url) == ["http://a.test/1", "http://a.test/2"])
      #expect(list.rejects.map { $0["row"]?.integer } == [1])
    }
  }

  @Test("a caption column that was named must be there, in every row of JSON")
  func namedCaption() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let text = "{\"url\":\"http://a.test/1\",\"caption\":\"x\"}\n"
    let list = try await fixture.ingest(text, name: "x.jsonl", caption: "alt")
    #expect(list.rows.isEmpty)
    #expect(list.rejects.map { $0["reason"]?.text } == ["no alt"])
    let found = try await fixture.ingest(text, name: "x.jsonl", caption: "caption")
    #expect(found.rows.map(\.caption) == ["x"])
  }

  @Test("an expected hash is carried in lower case; a malformed one rejects its row")
  func hashes() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let good = [32, 64, 128].map { String(repeating: "aB", count: $0 / 2) }
    let bad = ["", "abc", String(repeating: "g", count: 32), String(repeating: "a", count: 40)]
    for json in [false, true] {
      let rows = (good + bad).enumerated().map { index, hash in
        json
          ? "{\"url\":\"http://a.test/\(index)\",\"h\":\"\(hash)\"}"
          : "http://a.test/\(index),\(hash)"
      }
      let list = try await fixture.ingest(
        (json ? "" : "url,h\n") + rows.joined(separator: "\n"), name: json ? "x.jsonl" : "x.csv",
        hash: "h")
      #expect(list.rows.map(\.expectedHash) == good.map { $0.lowercased() })
      #expect(list.rows.map { $0.columns } == good.map { [.init("h", .string($0))] })
      #expect(list.rejects.map { $0["row"]?.integer } == [3, 4, 5, 6])
    }
    await #expect(throws: ListError.self) {
      try await fixture.ingest("url\nhttp://a.test/\n", name: "x.csv", hash: "h")
    }
  }

  @Test("carried columns keep their order of appearance and get the type that holds them all")
  func schema() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let text = """
      {"b":true,"url":"http://a.test/0","i":1,"n":null,"w":1}
      {"url":"http://a.test/1","i":9223372036854775807,"d":2.5,"w":1.5,"s":"x","o":{"k":1}}
      {"url":"http://a.test/2","big":9223372036854775808,"b":false,"m":"x"}
      {"url":"http://a.test/3","m":1,"b":null,"d":1}
      """
    _ = try await fixture.ingest(text, name: "x.jsonl")
    #expect(
      try fixture.columns() == [
        "b:bool", "i:int", "n:string", "w:double", "d:double", "s:string", "o:json", "big:json",
        "m:json",
      ])
    _ = try await fixture.ingest("url,a,,a\nhttp://a.test/0,1,2,3\n", name: "x.csv")
    #expect(try fixture.columns() == ["a:string", "column_3:string", "a_4:string"])
    let twice = try await fixture.ingest(
      "{\"url\":\"http://a.test/\",\"k\":1,\"k\":2}\n", name: "x.jsonl")
    #expect(twice.rejects.map { $0["reason"]?.text } == ["key k is there twice"])
  }

  @Test(
    "a JSON list of another shape, or one that breaks off, is an error",
    arguments: [
      "7", "\"x\"", "[{\"url\":\"http://a.test/\"}", "[{\"url\":\"http://a.test/\"} {}]", "[{]",
      "[{\"url\":\"x\"},", "[1] x", "{\"url\":[\"x\",\"y\"],\"caption\":[\"x\"]}",
      "{\"url\":{\"0\":\"x\"},\"caption\":{\"1\":\"x\"}}", "{\"a\":[1]}", "{\"url\":[\"x\"", "[,]",
    ])
  func badJSON(_ text: String) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    await #expect(throws: ListError.self) { try await fixture.ingest(text, name: "x.json") }
  }

  @Test("an element of a JSON array that is no usable object is rejected with its line")
  func badElements() async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let list = try await fixture.ingest(
      "[\n{\"url\":\"http://a.test/0\"},\n7,\n{\"url\":1},{\"url\":tru},\n[],{\"url\":\"http://a.test/5\"}\n]\n",
      name: "x.json")
    #expect(list.rows.map(\.row) == [0, 5])
    #expect(list.rejects.map { $0["line"]?.integer } == [3, 4, 4, 5])
  }

  @Test("a list's identity changes with its content, its size, its name and its order")
  func identity() throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    var random = RandomStream(seed: 3)
    var big = (0..<600_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    func identity(_ bytes: [UInt8], _ name: String = "x.txt") throws -> [String] {
      let path = try fixture.write(bytes, to: name)
      return try ListIdentity.describe(IngestOptions(input: path)).map { "\($0.key)=\($0.value)" }
    }
    let first = try identity(big)
    #expect(try identity(big) == first)
    #expect(try identity(big, "other/x.txt") == first)
    #expect(try identity(big, "y.txt") != first)
    #expect(try identity(big + [0]) != first)
    for place in [0, 131_071, big.count - 1] {
      big[place] ^= 1
      #expect(try identity(big) != first)
      big[place] ^= 1
    }
    let (a, b) = (fixture.path + "/x.txt", fixture.path + "/y.txt")
    let orders = try [[a, b], [b, a]].map { inputs in
      var options = IngestOptions(input: "")
      options.inputs = inputs
      return try ListIdentity.describe(options).map(\.value)
    }
    #expect(orders[0] != orders[1])
  }
}
