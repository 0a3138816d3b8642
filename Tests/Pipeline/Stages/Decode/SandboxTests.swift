import ContentHashing
import DecodeStage
import DurableFiles
import Foundation
import ImageCodec
import PipelineCore
import SeededRandom
import Testing

/// Decoding in processes of their own: what a bad body costs, and that nothing else changes.
@Suite struct SandboxTests {
  static func picture(_ width: Int, _ height: Int, _ shift: Int = 0) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: ($0 + shift) &* 31) })
  }

  /// A whole JPEG with a comment that asks for a fault.
  static func jpeg(_ number: Int, fault: String? = nil) throws -> [UInt8] {
    var bytes = try ImageEncoder.jpeg(picture(40 + number % 7, 30, number), quality: 90)
    if let fault {
      let comment = Array("FAULT:\(fault) \(number)".utf8)
      let length = comment.count + 2
      bytes.insert(
        contentsOf: [0xFF, 0xFE, UInt8(length >> 8), UInt8(length & 0xFF)] + comment, at: 2)
    }
    return bytes
  }

  @Test("the bytes are the same for any number of threads, in this process and in others")
  func determinism() async throws {
    var bodies = try (0..<90).map { try Self.jpeg($0) }
    bodies[3] = []
    bodies[20] = Array("<html>".utf8)
    bodies[50] = Array(bodies[50].prefix(bodies[50].count / 2))
    bodies[60] = try ImageEncoder.webp(Self.picture(300, 20), quality: 80)
    let chunk = try FetchedChunk(bodies)
    let options = try decodeOptions("image_size=64")
    let (report, _) = try await chunk.decode(DecodeStage(options: options, threads: 1))
    #expect(report.kept == 87)
    let expected = try chunk.published()
    for threads in [1, 2, 5] {
      let stage = DecodeStage(
        options: options, threads: threads, worker: FaultyDecoder.command())
      #expect(try await chunk.decode(stage).report == report)
      #expect(try chunk.published() == expected, "\(threads) threads")
    }
    try chunk.remove()
  }

  @Test("a body that crashes, hangs or exhausts its decoder costs itself alone")
  func isolation() async throws {
    let faults = [
      "segv": "SIGSEGV", "abort": "SIGABRT", "exit": "exit code 7", "killed": "SIGKILL",
      "garbage": "garbage", "memory": "memory", "hang": "wall", "spin": "cpu",
    ]
    var bodies: [[UInt8]] = []
    var words: [String?] = []
    for (number, fault) in faults.sorted(by: { $0.key < $1.key }).enumerated() {
      bodies += try [
        Self.jpeg(number * 3), Self.jpeg(number * 3 + 1, fault: fault.key),
        Self.jpeg(number * 3 + 2, fault: "later"),
      ]
      words += [nil, fault.value, nil]
    }
    let chunk = try FetchedChunk(bodies)
    // A hanging decoder ends by the wall, a busy one by its processor time, long before the wall.
    var options = try decodeOptions("image_size=64", "decode_memory=200_000_000")
    options.cpuSeconds = 1
    options.wallSeconds = 20
    let stage = DecodeStage(options: options, threads: 3, worker: FaultyDecoder.command())
    let (report, rows) = try await chunk.decode(stage)
    #expect(rows.map { $0.drop?.detail } == words)
    #expect(rows.compactMap(\.drop?.reason) == faults.map { _ in .decoderCrashed })
    #expect(rows.map(\.sha256) == bodies.map(ContentHash.sha256Hex))
    #expect(report.dropped == ["decoder_crashed": 8] && report.kept == 16)
    try chunk.remove()
  }

  @Test("a decoder that cannot start stops the run, and nothing is published")
  func cannotStart() async throws {
    let chunk = try FetchedChunk([try Self.jpeg(0)])
    let stage = DecodeStage(
      options: try decodeOptions(), threads: 1, worker: FaultyDecoder.command(always: "die"))
    await #expect {
      try await chunk.decode(stage)
    } throws: { error in
      error is any RunFault && "\(error)".contains("exit code 3") && "\(error)".contains("ulimit")
    }
    #expect(!DurableFile.exists(chunk.folder.decodedTable(0)))
    try chunk.remove()
  }

  @Test("decoders that fail at everything are the set-up's fault", arguments: ["segv", "garbage"])
  func allFail(fault: String) async throws {
    let chunk = try FetchedChunk([try Self.jpeg(0)])
    let stage = DecodeStage(
      options: try decodeOptions(), threads: 1, worker: FaultyDecoder.command(always: fault))
    await #expect {
      try await chunk.decode(stage)
    } throws: { error in
      guard case .selfTest(let problem) = error as? DecodeSetupError else { return false }
      return problem.contains(fault == "segv" ? "SIGSEGV" : "garbage")
    }
    #expect(!DurableFile.exists(chunk.folder.decodedTable(0)))
    try chunk.remove()
  }

  @Test("a memory limit that no usual photograph fits is the set-up's fault, once pictures fail")
  func tooLittleMemory() async throws {
    // 21 of 40 distinct bodies, of 8 megapixels of one colour each, need more than 16 MB.
    let big = RGBImage(
      width: 4_000, height: 2_000, pixels: [UInt8](repeating: 128, count: 24_000_000))
    let file = try ImageEncoder.png(big)
    let small = try FetchedChunk((0..<40).map { try Self.jpeg($0) })
    let bodies = try (0..<40).map { $0 < 21 ? file + [UInt8($0)] : try Self.jpeg($0) }
    let chunk = try FetchedChunk(bodies)
    let options = try decodeOptions("image_size=64", "decode_memory=16_000_000")
    let stage = DecodeStage(options: options, threads: 2, worker: FaultyDecoder.command())
    #expect(try await small.decode(stage).report.kept == 40)
    await #expect {
      try await chunk.decode(stage)
    } throws: { error in
      guard case .selfTest(let problem) = error as? DecodeSetupError else { return false }
      return problem.contains("memory")
    }
    #expect(!DurableFile.exists(chunk.folder.decodedTable(0)))
    try small.remove()
    try chunk.remove()
  }

  @Test("a chunk of crashes stops the run unless that is switched off; half a chunk does not")
  func crashes() async throws {
    let crashing = try (0..<41).map { try Self.jpeg($0, fault: "abort") }
    let fine = try (0..<40).map { try Self.jpeg($0) }
    let chunk = try FetchedChunk(crashing + fine)
    let stop = DecodeStage(
      options: try decodeOptions(), threads: 2, worker: FaultyDecoder.command())
    await #expect {
      try await chunk.decode(stop)
    } throws: { error in
      guard
        case .crashes(let chunk, let count, let total, let what, let sha256)? =
          error as? DecodeSetupError
      else { return false }
      return (chunk, count, total, what) == (0, 41, 81, "SIGABRT")
        && sha256 == ContentHash.sha256Hex(crashing[0])
    }
    let goOn = DecodeStage(
      options: try decodeOptions("stop_on_crashes=false"), threads: 2,
      worker: FaultyDecoder.command())
    #expect(try await chunk.decode(goOn).report.dropped == ["decoder_crashed": 41])
    try chunk.remove()
    // The same body many times is one failure.
    let repeated = try FetchedChunk(
      [[UInt8]](repeating: crashing[0], count: 30) + Array(crashing[0..<20]) + Array(fine[0..<25]))
    #expect(try await repeated.decode(stop).report.dropped == ["decoder_crashed": 50])
    try repeated.remove()
  }

  @Test("a list of nothing but damaged pictures is the list's fault")
  func damagedList() async throws {
    let bodies = try (0..<60).map { try Array(Self.jpeg($0).dropLast(400)) }
    let chunk = try FetchedChunk(bodies)
    let stage = DecodeStage(
      options: try decodeOptions(), threads: 2, worker: FaultyDecoder.command())
    let report = try await chunk.decode(stage).report
    #expect(report.kept == 0 && report.dropped.values.reduce(0, +) == 60)
    try chunk.remove()
  }

  @Test("a file of bodies that ends early fails the chunk and drops nothing")
  func cut() async throws {
    let chunk = try FetchedChunk([try Self.jpeg(0), try Self.jpeg(1)])
    let path = chunk.folder.fetchedBytes(0, attempt: 1)
    try DurableFile.write(Array(try DurableFile.read(path).dropLast(5)), to: path)
    let stage = DecodeStage(
      options: try decodeOptions(), threads: 1, worker: FaultyDecoder.command())
    await #expect(throws: StageError.self) { try await chunk.decode(stage) }
    try DurableFile.remove(path)
    await #expect(throws: FileError.self) { try await chunk.decode(stage) }
    try chunk.remove()
  }

  @Test("a cancelled stage lets go of a decoder that hangs", .timeLimit(.minutes(2)))
  func cancelled() async throws {
    let chunk = try FetchedChunk([try Self.jpeg(0, fault: "hang")])
    let mark = chunk.folder.path + "/mark"
    let stage = DecodeStage(
      options: try decodeOptions(), threads: 1, worker: FaultyDecoder.command(mark: mark))
    let task = Task { try await chunk.decode(stage) }
    while !DurableFile.exists(mark) { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try chunk.remove()
  }

  /// Several thousand; PAIRLOOM_DECODE_MUTATIONS asks for more.
  static let mutations =
    ProcessInfo.processInfo.environment["PAIRLOOM_DECODE_MUTATIONS"].flatMap { Int($0) } ?? 4_000
  static let seed: UInt64 = 20_261_124

  /// Small files of the shared odd ones, where they are: progressive, CMYK, 16 bits, animated and more.
  private static func oddFiles() throws -> [[UInt8]] {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<6 { url.deleteLastPathComponent() }
    let folder = url.appendingPathComponent("shared/data/exotic")
    guard let names = FileManager.default.enumerator(atPath: folder.path) else { return [] }
    return try names.compactMap { $0 as? String }.sorted().compactMap { name in
      let file = folder.appendingPathComponent(name)
      let size = try file.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey])
      guard size.isRegularFile == true, (1...20_000).contains(size.fileSize ?? 0) else {
        return nil
      }
      return [UInt8](try Data(contentsOf: file))
    }
  }

  @Test("damaged files go through the sandbox without a lost run, each with a fate")
  func mutations() async throws {
    var random = RandomStream(seed: Self.seed)
    let originals: [[UInt8]] = try [
      ImageEncoder.jpeg(Self.picture(64, 48), quality: 90),
      ImageEncoder.jpeg(Self.picture(90, 33), quality: 30),
      ImageEncoder.png(Self.picture(50, 40)), ImageEncoder.webp(Self.picture(60, 50), quality: 75),
      ImageEncoder.webpLossless(Self.picture(30, 20)),
    ]
    let options = try decodeOptions("image_size=32", "max_pixels=4_000_000", "extract_exif=true")
    let inputs = originals + (try Self.oddFiles())
    let stage = DecodeStage(options: options, threads: 2, worker: FaultyDecoder.command())
    var (left, kept, dropped, crashed) = (Self.mutations, 0, 0, 0)
    while left > 0 {
      let bodies = (0..<min(left, 2_000)).map { number in
        random.damaged(inputs[number % inputs.count])
      }
      left -= bodies.count
      let chunk = try FetchedChunk(bodies)
      let (report, rows) = try await chunk.decode(stage)
      #expect(rows.count == bodies.count)
      kept += report.kept
      crashed += report.dropped["decoder_crashed"] ?? 0
      dropped += report.input - report.kept
      try chunk.remove()
    }
    // Both kinds occur in numbers, so the damage is neither too small nor too great.
    #expect(kept > Self.mutations / 10 && dropped > Self.mutations / 5, "\(kept), \(dropped)")
    #expect(crashed == 0, "\(crashed) crashed the decoder: seed \(Self.seed)")
  }
}

extension RandomStream {
  /// A copy with one of five kinds of damage.
  fileprivate mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
    switch integer(below: 5) {
    case 0:
      for _ in 0...integer(below: 4) {
        result[integer(below: result.count)] ^= 1 << UInt8(integer(below: 8))
      }
    case 1:  // near the start, where the headers are
      for _ in 0...integer(below: 4) { result[integer(below: min(result.count, 200))] = byte() }
    case 2: result.removeLast(integer(below: result.count))
    case 3:
      let start = integer(below: result.count)
      result.removeSubrange(start..<min(result.count, start + 1 + integer(below: 64)))
    default:
      let start = integer(below: bytes.count)
      let part = bytes[start..<min(bytes.count, start + 1 + integer(below: 64))]
      result.insert(contentsOf: part, at: integer(below: result.count))
    }
    return result
  }
}
