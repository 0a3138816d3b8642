import DurableFiles
import EmbeddingFiles
import Foundation
import ParquetFile
import TestTools
import Testing

/// DataComp's archives of features, by fixtures and by numpy's own files.
@Suite struct FeatureArchiveTests {
  private static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name).npz").path
  }

  private static func table(_ rows: Int, to path: String) throws {
    let writer = try ParquetWriter(
      path: path, columns: [.init("uid", .string), .init("text", .string)], codec: .zstd)
    try writer.append([
      (0..<rows).map { .text("u\($0)") }, (0..<rows).map { .text("caption \($0)") },
    ])
    try writer.finish()
  }

  private static func rows(_ count: Int, _ width: Int, _ value: (Float, Float) -> Float) -> [Float]
  {
    (0..<count).flatMap { row in (0..<width).map { value(Float(row), Float($0)) } }
  }

  @Test(
    "stored and deflated arrays are read, by model and tower", arguments: ["stored", "deflated"])
  func fixtures(name: String) throws {
    let path = Self.fixture(name)
    #expect(EmbeddingFolder.isEmbeddings(path))
    #expect(try EmbeddingFolder.models(of: path) == ["b32", "l14"])
    for (model, width) in [("b32", 4), ("l14", 2)] {
      let folder = try EmbeddingFolder(path, model: model)
      #expect(folder.count == 3 && folder.metadata.isEmpty)
      let (image, text) = (try #require(folder.image), try #require(folder.text))
      #expect(image.width == width && text.width == width)
      #expect(image.vectors(0..<3) == Self.rows(3, width) { $0 + $1 / 4 })
      #expect(text.vectors(1..<3) == Array(Self.rows(3, width) { $1 - $0 / 2 }[width...]))
    }
    #expect {
      try EmbeddingFolder(path)
    } throws: {
      "\($0)".contains("there are vectors of b32 and l14. Choose with --features b32")
    }
    #expect {
      try EmbeddingFolder(path, model: "h14")
    } throws: {
      "\($0)".contains("no vectors of `h14`, but of b32, l14")
    }
  }

  @Test(
    "a folder's archives are one row of vectors, in the order of names, with the tables beside them"
  )
  func folders() throws {
    let scratch = try ScratchFolder()
    for (stem, name) in [("b", "stored"), ("a", "deflated")] {
      try DurableFile.write(DurableFile.read(Self.fixture(name)), to: scratch("\(stem).npz"))
    }
    let bare = try EmbeddingFolder(scratch.path, model: "l14")
    #expect(bare.count == 6 && bare.metadata.isEmpty)
    try Self.table(3, to: scratch("a.parquet"))
    #expect {
      try EmbeddingFolder(scratch.path, model: "l14")
    } throws: {
      "\($0)".contains("1 tables for 2 .npz files")
    }
    try Self.table(3, to: scratch("b.parquet"))
    let folder = try EmbeddingFolder(scratch.path, model: "l14")
    #expect(folder.metadata == [scratch("a.parquet"), scratch("b.parquet")])
    #expect(try folder.metadata(of: [4])[4]?.caption == "caption 1")
    #expect(
      folder.image?.vectors(3..<6) == Self.rows(3, 2) { $0 + $1 / 4 } && folder.image?.count == 6)
    try Self.table(2, to: scratch("b.parquet"))
    #expect {
      try EmbeddingFolder(scratch.path, model: "l14")
    } throws: {
      "\($0)".contains("3 vectors, and 2 rows in")
    }
  }

  @Test(
    "an archive that is cut anywhere, or changed in a byte, is refused or read, and never crashes")
  func damaged() throws {
    let scratch = try ScratchFolder()
    let path = scratch("d.npz")
    for name in ["stored", "deflated"] {
      let whole = try DurableFile.read(Self.fixture(name))
      for count in stride(from: 0, to: whole.count, by: 7) {
        try DurableFile.write(Array(whole[..<count]), to: path)
        #expect(throws: EmbeddingFileError.self) { try EmbeddingFolder(path, model: "b32") }
      }
      var refused = 0
      for place in whole.indices {
        var bytes = whole
        bytes[place] ^= 0x41
        try DurableFile.write(bytes, to: path)
        do throws(EmbeddingFileError) {
          let folder = try EmbeddingFolder(path, model: "b32")
          _ = folder.image?.vectors(0..<folder.count)
        } catch {
          #expect("\(error)".contains(path))
          refused += 1
        }
      }
      // What is left are numbers, times, and arrays of the other model.
      #expect(refused > whole.count / 3, "\(name): \(refused) of \(whole.count)")
    }
    try DurableFile.write(Array("no archive at all".utf8), to: path)
    #expect {
      try EmbeddingFolder(path)
    } throws: {
      "\($0)".contains("d.npz: damaged: the archive: its table of contents is missing")
    }
  }

  @Test(
    "what numpy saves, plain and compressed, is read as numpy reads it",
    .peers("numpy"), arguments: ["savez", "savez_compressed"])
  func numpy(function: String) async throws {
    let scratch = try ScratchFolder()
    let sum = try await PeerPython.run(
      code: """
        import sys, numpy
        r = numpy.random.default_rng(5)
        make = lambda d: r.standard_normal((1000, d)).astype(numpy.float16)
        arrays = dict(b32_img=make(512), b32_txt=make(512), l14_img=make(768), l14_txt=make(768))
        numpy.\(function)(sys.argv[1], **arrays)
        a, b = (arrays[k].astype(numpy.float64) for k in ("l14_img", "l14_txt"))
        print(repr(float((a * b).sum())))
        """, scratch("f.npz"))
    let folder = try EmbeddingFolder(scratch("f.npz"), model: "l14")
    let (image, text) = (try #require(folder.image), try #require(folder.text))
    #expect(folder.count == 1_000 && image.width == 768)
    let ours = zip(image.vectors(0..<1_000), text.vectors(0..<1_000)).reduce(0.0) {
      $0 + Double($1.0) * Double($1.1)
    }
    // The same exact products in another order of 768,000 additions in Double.
    #expect(abs(ours - (try #require(Double(sum)))) < 1e-8)
  }
}
