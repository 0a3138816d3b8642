import DurableFiles
import EventFiles
import Foundation
import TestTools
import Testing

@Suite struct EventFileTests {
  @Test("a file's bytes are TFRecord's, from a record written out by hand")
  func bytes() async throws {
    try await ScratchFolder.use { folder in
      let file = try EventFile(folder: folder + "/t", after: 0, time: 1.5)
      #expect(file.path == folder + "/t/events.out.tfevents.0000000001.pairloom")
      try file.add(["a": 2], step: 300, time: 0)
      let bytes = try DurableFile.read(file.path)
      // time 1.5 as field 1, "brain.Event:2" as field 3
      let version: [UInt8] =
        [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 26, 13] + Array("brain.Event:2".utf8)
      #expect(Array(bytes[..<8]) == [24, 0, 0, 0, 0, 0, 0, 0])
      #expect(Array(bytes[12..<36]) == version)
      // step 300 as field 2; field 5 holds field 1 with tag "a" and 2.0
      let scalar: [UInt8] = [16, 0xAC, 2, 42, 10, 10, 8, 10, 1, 97, 21, 0, 0, 0, 0x40]
      #expect(Array(bytes[52..<67]) == scalar)
      #expect(bytes.count == 71)
    }
  }

  @Test("a resumed run's file comes last by name, and takes the steps after its checkpoint back")
  func resumed() async throws {
    try await ScratchFolder.use { folder in
      let first = try EventFile(folder: folder, after: 0, time: 1_000_000_000)
      for step in 1...10 {
        try first.add(
          ["train/loss": 1 / Double(step), "none": .nan, "eval/ä": Double(step)], step: step,
          time: 1_000_000_000 + Double(step))
      }
      // The clock was set back.
      let second = try EventFile(folder: folder, after: 6, time: 999_999_000)
      #expect(second.path > first.path)
      for step in 7...8 {
        try second.add(["train/loss": -Double(step)], step: step, time: 999_999_001)
      }
      guard let python = PeerPython.path ?? Self.anyPython else { return }
      let script = ProjectFolder.root + "/Tests/Support/Peers/event_files.py"
      let output = try await ChildProgram.run(python, ["-B", script, folder])
      let found = try JSONDecoder().decode([String: [[Double]]].self, from: Data(output.bytes))
      let expected =
        (1...6).map { [Double($0), Double(Float(1 / Double($0)))] } + [[7, -7], [8, -8]]
      #expect(found["train/loss"] == expected)
      #expect(found["eval/ä"] == (1...6).map { [Double($0), Double($0)] })
      #expect(found["none"] == nil)
    }
  }

  /// The script needs no library.
  private static let anyPython = ["/usr/bin/python3", "/usr/local/bin/python3"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }
}
