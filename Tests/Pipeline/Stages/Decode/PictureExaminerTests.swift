import DecodeStage
import Foundation
import ImageCodec
import PerceptualHash
import PipelineCore
import Testing

/// Looking at pictures in processes of their own.
@Suite struct PictureExaminerTests {
  private typealias Outcome = Result<ExaminedPicture, PictureRefusal>

  private static func reason(_ outcome: Outcome) -> DropReason? {
    if case .failure(let refusal) = outcome { return refusal.drop.reason }
    return nil
  }

  @Test("what is seen is the decode stage's, in order, for any number of threads and in processes")
  func agreement() async throws {
    var bodies = try (0..<30).map { try SandboxTests.jpeg($0) }
    bodies[4] = []
    bodies[9] = Array("<html>".utf8)
    bodies[12] = Array(bodies[12].prefix(bodies[12].count / 2))
    bodies[20] = try ImageEncoder.jpeg(SandboxTests.picture(1400, 1100), quality: 80)
    let options = try decodeOptions("image_size=64")
    let chunk = try FetchedChunk(bodies)
    let rows = try await chunk.decode(options).rows
    let expected = try PictureExaminer(worker: nil, options: options).examine(bodies, threads: 1)
    #expect(expected.count == bodies.count)
    for (row, outcome) in zip(rows, expected) {
      switch outcome {
      case .success(let picture):
        #expect(row.signature == picture.signature.text)
        #expect(row.originalWidth == picture.width && row.originalHeight == picture.height)
        #expect(picture.format == .jpeg)
        #expect(
          picture.signature.isFlat || row.phash == PerceptualHash(bits: picture.signature.key).hex)
      case .failure(let refusal): #expect(row.drop == refusal.drop)
      }
    }
    #expect(
      [4, 9, 12].map { Self.reason(expected[$0]) } == [.empty, .unsupportedFormat, .truncated])
    let examiner = PictureExaminer(worker: FaultyDecoder.command(), options: options)
    for threads in [1, 2, 5] {
      #expect(try examiner.examine(bodies, threads: threads) == expected, "\(threads) threads")
    }
    #expect(try examiner.examine([], threads: 2).isEmpty)
    try chunk.remove()
  }

  @Test("a body that crashes, hangs or exhausts its decoder is refused, and no other")
  func isolation() throws {
    let faults = ["segv": "SIGSEGV", "exit": "exit code 7", "hang": "wall", "garbage": "garbage"]
    var bodies: [[UInt8]] = []
    var words: [String?] = []
    for (number, fault) in faults.sorted(by: { $0.key < $1.key }).enumerated() {
      bodies += try [
        SandboxTests.jpeg(number * 2), SandboxTests.jpeg(number * 2 + 1, fault: fault.key),
      ]
      words += [nil, fault.value]
    }
    var options = try decodeOptions("image_size=64")
    options.wallSeconds = 5
    let examiner = PictureExaminer(worker: FaultyDecoder.command(), options: options)
    let outcomes = try examiner.examine(bodies, threads: 2)
    #expect(outcomes.map(Self.reason) == words.map { $0 == nil ? nil : .decoderCrashed })
    for (outcome, word) in zip(outcomes, words) {
      guard case .failure(let refusal) = outcome else { continue }
      #expect(refusal.drop.detail == word)
    }
  }

  @Test("a decoder that cannot start is an error, and no refusal")
  func cannotStart() throws {
    let examiner = PictureExaminer(worker: FaultyDecoder.command(always: "die"))
    #expect(throws: DecodeSetupError.self) {
      try examiner.examine([try SandboxTests.jpeg(0)], threads: 1)
    }
  }

  @Test("a call that is off ends by an error")
  func cancelled() throws {
    let bodies = [try SandboxTests.jpeg(0)]
    for worker in [nil, FaultyDecoder.command()] {
      #expect(throws: CancellationError.self) {
        try PictureExaminer(worker: worker).examine(bodies, threads: 1) { true }
      }
    }
  }

  @Test("limits are those of the options")
  func limits() throws {
    var options = try decodeOptions("image_size=64")
    options.maxPixels = 1000
    let outcomes = try PictureExaminer(worker: nil, options: options)
      .examine([try SandboxTests.jpeg(0)], threads: 1)
    #expect(outcomes.map(Self.reason) == [.tooManyPixels])
  }

  @Test("a table of an earlier version has no signatures, and is read")
  func earlierTables() throws {
    let row = DecodedRow(
      row: 3, sha256: String(repeating: "a", count: 64), bytes: ByteRange(offset: 0, length: 5),
      phash: "00000000000000ff", signature: "0f", format: "jpg")
    #expect(DecodedRow(row.json) == row)
    var earlier = row
    earlier.signature = nil
    let path = NSTemporaryDirectory() + "pairloom-decoded-\(UUID().uuidString).parquet"
    try PairTable.write(
      [earlier.json], columns: DecodedRow.columns.filter { $0.name != "signature" }, to: path)
    let read = try PairTable.read(path, as: DecodedRow.init)
    #expect(read == [earlier])
    try FileManager.default.removeItem(atPath: path)
  }
}
