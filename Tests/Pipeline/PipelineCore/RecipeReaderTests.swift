import PipelineCore
import Testing

@Suite struct RecipeReaderTests {
  enum Mode: String, CaseIterable { case fast, slow }

  static func reader(_ yaml: String, _ overrides: [String] = []) throws -> RecipeReader {
    try RecipeReader(yaml: yaml, path: "r.yaml", overrides: overrides)
  }

  @Test("values come from the file, overrides lie over them, defaults under them")
  func layers() throws {
    var reader = try Self.reader(
      "size: 12\nfilter:\n  min_score: 0.25\n  top: null\nmode: slow\nlist: [a, b]\nflag: true",
      ["size=1_000", "other.list=x, y", "url=http://a.test/?q=1"])
    #expect(try reader.int("size", default: 1, in: 1...2_000) == 1_000)
    #expect(try reader.optionalDouble("filter.min_score", in: 0...1) == 0.25)
    #expect(try reader.optionalDouble("filter.top", in: 0...1) == nil)
    #expect(try reader.choice("mode", default: Mode.fast) == .slow)
    #expect(try reader.list("list") == ["a", "b"])
    #expect(try reader.list("other.list") == ["x", "y"])
    #expect(try reader.string("url") == "http://a.test/?q=1")
    #expect(try reader.bool("flag", default: false))
    #expect(try reader.double("absent", default: 1.5, in: 0...2, tuning: true) == 1.5)
    try reader.finish()
    #expect(reader.resolved.first { $0.key == "size" }?.value == "1000")
    #expect(reader.tuning == ["absent"])
  }

  @Test("an option belongs to the stage that reads it first; words are of a closed list")
  func stages() throws {
    var reader = try Self.reader("modes: [slow, slow]\nsize: 3")
    _ = try reader.string("first")
    reader.stage = .decode
    _ = try reader.int("size", default: 1, in: 1...9)
    reader.stage = .filter
    _ = try reader.int("size", default: 1, in: 1...9)
    let modes: Set<Mode> = try reader.choices("modes", tuning: true)
    #expect(modes == [.slow])
    #expect(reader.tuning == ["modes"])
    #expect(reader.stages == ["first": .ingest, "size": .decode, "modes": .filter])
    var wrong = try Self.reader("modes: fast, quick")
    #expect(
      throws: RecipeError.badValue(key: "modes", value: "quick", expected: "one of fast, slow")
    ) {
      let _: Set<Mode> = try wrong.choices("modes")
    }
  }

  @Test("an unknown key is refused with the nearest known one")
  func unknown() throws {
    var near = try Self.reader("imagesize: 3")
    _ = try near.int("image_size", default: 1, in: 1...9)
    #expect(throws: RecipeError.unknownKey("imagesize", nearest: "image_size")) {
      try near.finish()
    }
    var far = try Self.reader("", ["zzzzzz=1"])
    _ = try far.int("image_size", default: 1, in: 1...9)
    #expect(throws: RecipeError.unknownKey("zzzzzz", nearest: nil)) { try far.finish() }
  }

  @Test(
    "only what a slip of the hand may have meant is suggested",
    arguments: [
      ("imagesize", "image_size"), ("iamge_size", "image_size"), ("chunk_row", "chunk_rows"),
      ("chunks_rows", "chunk_rows"), ("min_scor", "filter.min_score"),
      ("filter.min_scor", "filter.min_score"), ("min_score", "filter.min_score"),
      ("attempts", nil), ("downloadattempts", "download.attempts"), ("url", nil), ("max", nil),
      ("image_quality", nil), ("resize_width", nil), ("encode", nil), ("x", nil),
      ("timeout", "download.timeout"), ("url_colum", "url_column"),
    ] as [(String, String?)])
  func suggestions(word: String, meant: String?) {
    let known = [
      "image_size", "min_image_size", "chunk_rows", "filter.min_score", "download.attempts",
      "decode.attempts", "download.timeout", "url_column", "url_list", "resize_mode", "max_pixels",
      "max_aspect_ratio", "encode_format", "encode_quality",
    ]
    #expect(NearestWord.nearest(to: word, among: known) == meant)
  }

  @Test("a value of the wrong kind is refused by key")
  func wrong() throws {
    var reader = try Self.reader("size: big\nmode: middling\nmany: [1, 2]\nflag: yes please")
    #expect(
      throws: RecipeError.badValue(key: "size", value: "big", expected: "a whole number of 1 to 9")
    ) {
      try reader.int("size", default: 1, in: 1...9)
    }
    #expect(
      throws: RecipeError.badValue(key: "mode", value: "middling", expected: "one of fast, slow")
    ) {
      try reader.choice("mode", default: Mode.fast)
    }
    #expect(throws: RecipeError.self) { try reader.string("many") }
    #expect(throws: RecipeError.self) { try reader.bool("flag", default: true) }
    #expect(throws: RecipeError.badOverride("size")) { try Self.reader("", ["size"]) }
    #expect(throws: RecipeError.self) { try Self.reader("- a\n- b: c") }
    #expect(throws: RecipeError.self) { try Self.reader("a: [") }
  }
}
