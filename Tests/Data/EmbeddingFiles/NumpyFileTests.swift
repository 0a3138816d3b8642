import DurableFiles
import EmbeddingFiles
import Foundation
import SeededRandom
import TestTools
import Testing

/// Reading and writing arrays, by themselves.
@Suite struct NumpyFileTests {
  /// A file of `header` in the given version, with `data` behind it.
  private static func file(_ header: String, version: UInt8 = 1, data: [UInt8]) -> [UInt8] {
    let text = Array(header.utf8)
    let length: [UInt8] =
      version == 1
      ? [UInt8(text.count & 255), UInt8(text.count >> 8)]
      : (0..<4).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + data
  }

  private static let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
  private static let data: [UInt8] = (1...6).flatMap { value in
    withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { Array($0) }
  }

  @Test("every half becomes the Float that the language makes of it")
  func allHalves() throws {
    let halves = (0...UInt16.max).map { $0 }
    let bytes = halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    let floats = HalfVectors.floats(bytes)
    for (half, float) in zip(halves, floats) {
      let expected = Float(Float16(bitPattern: half))
      #expect(
        expected.isNaN ? float.isNaN : float.bitPattern == expected.bitPattern, "half \(half)")
    }
    // And the rest of a row that is no multiple of eight.
    #expect(HalfVectors.floats(Array(bytes[0..<22])) == Array(floats[0..<11]))
  }

  @Test("what was written is read again, row by row, in all types", arguments: NumpyType.allCases)
  func roundTrip(type: NumpyType) throws {
    let folder = try ScratchFolder()
    var random = RandomStream(seed: 1)
    let (rows, columns) = (37, 13)
    let floats = (0..<rows * columns).map { _ in Float(random.normal()) }
    let expected = type == .float16 ? floats.map { Float(Float16($0)) } : floats
    let writer = try NumpyWriter(folder("a.npy"), rows: rows, columns: columns, type: type)
    #expect(!DurableFile.exists(folder("a.npy")))
    try writer.append(Array(floats[..<(5 * columns)]))
    try writer.append(Array(floats[(5 * columns)...]))
    try writer.finish()
    let read = try NumpyRows(path: folder("a.npy"))
    #expect(read.rows == rows && read.columns == columns && read.type == type)
    #expect(read.vectors(0..<rows) == expected)
    #expect(read.vectors(36..<37) == Array(expected[(36 * columns)...]))
    #expect(read.vectors(5..<5).isEmpty)
    // The numbers begin where NumPy can map them.
    #expect(try (DurableFile.size(of: folder("a.npy")) - rows * columns * type.byteCount) % 64 == 0)
  }

  @Test("headers of all versions, with blanks and keys in any order, are read")
  func headers() throws {
    let folder = try ScratchFolder()
    let texts = [
      Self.header, "{\"shape\":(2,3),\"descr\":\"<f4\",\"fortran_order\":False}",
      "{ 'fortran_order' : False,\n 'shape': (2L, 3L,), 'descr':'<f4' }   \n",
    ]
    for text in texts {
      for version: UInt8 in 1...3 {
        try DurableFile.write(
          Self.file(text, version: version, data: Self.data), to: folder("a.npy"))
        #expect(try NumpyRows(path: folder("a.npy")).vectors(0..<2) == [1, 2, 3, 4, 5, 6])
      }
    }
  }

  @Test(
    "what is no array of rows of floats is refused, and the error says why",
    arguments: [
      ("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "little-endian"),
      ("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "'|O'"),
      ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "records"),
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "columns come first"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "1 dimensions"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "claimed"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }", "whole number"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 0), }", "claimed"),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 6), }", "claimed"
      ), ("{'descr': '<f4', 'shape': (2, 3), }", "fortran_order"),
      ("{'descr': '<f4', 'fortran_order': False, }", "no shape"),
      ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "twice"),
      ("__import__('os').system('true')", "cannot be understood"),
    ])
  func refused(header: String, why: String) throws {
    let folder = try ScratchFolder()
    try DurableFile.write(Self.file(header, data: Self.data), to: folder("a.npy"))
    let error = #expect(throws: EmbeddingFileError.self) {
      try NumpyRows(path: folder("a.npy"))
    }
    #expect(error?.description.contains(why) == true, "\(error?.description ?? "")")
  }

  @Test("a damaged or shortened file is refused or read as it says, and never traps")
  func mutations() throws {
    let folder = try ScratchFolder()
    let whole = Self.file(Self.header, data: Self.data)
    for length in 0..<whole.count {
      // Without waiting for the disk, as DurableFile would.
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: folder("a.npy")))
      #expect(throws: EmbeddingFileError.self) { try NumpyRows(path: folder("a.npy")) }
    }
    var random = RandomStream(seed: 7)
    var (refused, read) = (0, 0)
    for _ in 0..<1_000 {
      var bytes = whole
      for _ in 0...random.integer(below: 3) {
        bytes[random.integer(below: whole.count)] = UInt8(random.integer(below: 256))
      }
      try Data(bytes).write(to: URL(fileURLWithPath: folder("a.npy")))
      do {
        let rows = try NumpyRows(path: folder("a.npy"))
        #expect(rows.vectors(0..<rows.rows).count * rows.type.byteCount == Self.data.count)
        read += 1
      } catch {
        refused += 1
      }
    }
    // Both ends were tried: data may be anything, a header may not.
    #expect(refused > 100 && read > 100, "\(refused) refused, \(read) read")
  }

  @Test("a folder's parts count as one, whatever the zeros in their names")
  func folder() throws {
    let folder = try ScratchFolder()
    try DurableFile.makeFolder(folder("img_emb"))
    for (number, name) in ["img_emb_00.npy", "img_emb_01.npy", "img_emb_02.npy"].enumerated() {
      try NumpyWriter.write(
        (0..<4).map { Float(10 * number + $0) }, columns: 2, to: folder("img_emb/\(name)"))
    }
    let opened = try EmbeddingFolder(folder.path)
    #expect(opened.count == 6 && opened.text == nil && opened.image?.width == 2)
    #expect(opened.image?.vectors(1..<5) == [2, 3, 10, 11, 12, 13, 20, 21])
    #expect(EmbeddingFolder.isEmbeddings(folder.path))
    try DurableFile.remove(folder("img_emb/img_emb_01.npy"))
    #expect(throws: EmbeddingFileError.self) { try EmbeddingFolder(folder.path) }
    try NumpyWriter.write([1, 2, 3], columns: 3, to: folder("img_emb/img_emb_1.npy"))
    #expect(throws: EmbeddingFileError.self) { try EmbeddingFolder(folder.path) }
    #expect(throws: EmbeddingFileError.self) { try EmbeddingFolder(folder("nothing.npy")) }
  }

  @Test("NumPy reads what is written, and its files are read", .peers("numpy", "pyarrow"))
  func numpy() async throws {
    let folder = try ScratchFolder()
    try NumpyWriter.write(
      (0..<30).map { Float($0) / 7 }, columns: 6, type: .float16, to: folder("ours.npy"))
    let told = try await PeerPython.run(
      code:
        """
        import numpy, sys
        a = numpy.load(sys.argv[1], allow_pickle=False)
        assert (a == (numpy.arange(30, dtype='f4') / 7).astype('f2').reshape(5, 6)).all()
        b = numpy.load(sys.argv[1], mmap_mode='r')
        print(a.dtype, a.shape, b.flags['ALIGNED'])
        r = numpy.random.default_rng(3).standard_normal((11, 9))
        for name in ['f2', 'f4', 'f8']:
            numpy.save(sys.argv[2] + '/theirs.' + name + '.npy', r.astype('<' + name))
        with open(sys.argv[2] + '/v2.npy', 'wb') as f:
            numpy.lib.format.write_array(f, r.astype('<f4'), version=(2, 0))
        with open(sys.argv[2] + '/v3.npy', 'wb') as f:
            numpy.lib.format.write_array(f, r.astype('<f4'), version=(3, 0))
        r.astype('<f4').tofile(sys.argv[2] + '/raw')
        """, folder("ours.npy"), folder.path)
    #expect(told == "float16 (5, 6) True")
    let raw = try DurableFile.read(folder("raw"))
    let expected = raw.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    for name in ["theirs.f4", "theirs.f8", "v2", "v3"] {
      #expect(try NumpyRows(path: folder("\(name).npy")).vectors(0..<11) == expected)
    }
    let halves = try NumpyRows(path: folder("theirs.f2.npy")).vectors(0..<11)
    #expect(halves == expected.map { Float(Float16($0)) })
  }
}
