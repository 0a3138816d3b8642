import DurableFiles
import Foundation
import Testing

@Suite struct DurableFileTests {
  let folder = NSTemporaryDirectory() + "pairloom-files-\(UUID().uuidString)"

  @Test("a file is published whole, replaces the old one, and leaves no temporary")
  func publishes() throws {
    try DurableFile.makeFolder(folder + "/a/b")
    let path = folder + "/a/b/file"
    try DurableFile.write("old", to: path)
    let writer = try DurableFileWriter(path)
    try writer.write(Array("new ".utf8))
    #expect(try DurableFile.read(path) == Array("old".utf8))
    try writer.write(Array("text".utf8))
    try writer.commit()
    #expect(try DurableFile.read(path) == Array("new text".utf8))
    #expect(try DurableFile.names(in: folder + "/a/b") == ["file"])
    #expect(try DurableFile.read(path, count: 100, at: 4) == Array("text".utf8))
  }

  @Test("a writer that is dropped leaves the old file and no temporary")
  func abandons() throws {
    try DurableFile.makeFolder(folder)
    let path = folder + "/file"
    try DurableFile.write("old", to: path)
    do {
      let writer = try DurableFileWriter(path)
      try writer.write(Array("half".utf8))
    }
    #expect(try DurableFile.names(in: folder) == ["file"])
    #expect(try DurableFile.read(path) == Array("old".utf8))
  }

  @Test("temporaries of killed writers are cleared, other files stay")
  func clears() throws {
    try DurableFile.makeFolder(folder)
    try DurableFile.write("x", to: folder + "/kept")
    try Data("y".utf8).write(to: URL(fileURLWithPath: folder + "/kept.123.7.tmp"))
    try DurableFile.removeTemporaries(in: folder)
    #expect(try DurableFile.names(in: folder) == ["kept"])
  }

  @Test("an error names the operation, the path and the reason")
  func errors() {
    let error = #expect(throws: FileError.self) { try DurableFile.read(folder + "/absent") }
    #expect(error?.description == "\(folder)/absent: cannot open: No such file or directory.")
    // It names the file that is missing, not the temporary one.
    let unwritten = #expect(throws: FileError.self) {
      try DurableFile.write("x", to: folder + "/no/folder/x")
    }
    #expect(unwritten?.path == folder + "/no/folder/x")
    #expect(
      FileError(operation: "write", path: "a", errorNumber: ENOSPC).description
        == "a: cannot write: No space left on device. Free some space, then run the same command"
        + " again: it resumes.")
  }

  @Test("a file that cannot take its name leaves nothing behind")
  func unrenamed() throws {
    // A folder stands under the name.
    try DurableFile.makeFolder(folder + "/taken/x")
    let error = #expect(throws: FileError.self) {
      try DurableFile.write("x", to: folder + "/taken")
    }
    #expect(error?.description.hasPrefix("\(folder)/taken: cannot be renamed from ") == true)
    #expect(try DurableFile.names(in: folder) == ["taken"])
  }
}
