import DecodeStage
import Glibc

// A decoding process that misbehaves at bodies that ask for it: "FAULT:" and a word in a comment at the
// start of a JPEG, so that a body may be a whole picture too.

func fault(in body: [UInt8]) -> String? {
  // Behind the start of the image, the comment's marker and its length.
  guard body.count > 12, body[6..<12].elementsEqual("FAULT:".utf8) else { return nil }
  return String(decoding: body[12...].prefix { (0x61...0x7A).contains($0) }, as: UTF8.self)
}

nonisolated(unsafe) var touched = 0  // Sendable: one thread serves
let always = CommandLine.arguments.dropFirst().first

func misbehave(_ word: String) {
  switch word {
  case "segv": kill(getpid(), SIGSEGV)
  case "abort": abort()
  case "killed": kill(getpid(), SIGKILL)
  case "exit": exit(7)
  case "hang":
    // Tells by a file that it hangs, where a test wants to know.
    if let path = getenv("PAIRLOOM_FAULT_MARK") { close(creat(path, 0o600)) }
    while true { pause() }
  case "spin":
    var x: UInt64 = 1
    while true {
      x = x &* 6_364_136_223_846_793_005 &+ 1
      if x == 0 { print(x) }
    }
  case "memory":
    var held: [[UInt8]] = []
    while true { held.append([UInt8](repeating: UInt8(held.count & 0xFF), count: 1 << 20)) }
  case "garbage":
    _ = Array("this is no answer, is it?".utf8).withUnsafeBytes {
      send(STDIN_FILENO, $0.baseAddress, $0.count, 0)
    }
    while true { pause() }
  case "later":
    // As a decoder whose memory an earlier picture has spoiled.
    if touched > 1 { abort() }
  default: break
  }
}

if always == "die" { exit(3) }

DecodeWorker.serve { body in
  touched += 1
  if let always { misbehave(always) }
  if let word = fault(in: body) { misbehave(word) }
}
