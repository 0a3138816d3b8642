import Foundation
import Synchronization

/// A DNS server on a loopback address, port 53, for one name whose address changes.
///
/// Needs the right to listen there. UDP, one thread; answers A with the given addresses in turn and a
/// lifetime of 0 seconds, AAAA with none.
public final class NameServer: Sendable {
  private let descriptor: Int32
  private let asked = Atomic(0)

  /// Questions for an A record so far.
  public var questions: Int { asked.load(ordering: .relaxed) }

  /// - Throws: `POSIXError` when the address and port cannot be listened on.
  public init(address: String, answers: [String]) throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var own = sockaddr_in()
    own.sin_family = sa_family_t(AF_INET)
    own.sin_addr.s_addr = inet_addr(address)
    own.sin_port = UInt16(53).bigEndian
    let isBound = withUnsafePointer(to: &own) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isBound else {
      close(descriptor)
      throw POSIXError(.EACCES)
    }
    Thread.detachNewThread { [descriptor, weak self] in
      var message = [UInt8](repeating: 0, count: 512)
      while true {
        var peer = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let reply = withUnsafeMutablePointer(to: &peer) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Bool in
            let count = recvfrom(descriptor, &message, message.count, 0, address, &length)
            guard count > 16, let self else { return false }
            let bytes = self.answer(to: Array(message[..<count]), from: answers)
            return sendto(descriptor, bytes, bytes.count, 0, address, length) > 0
          }
        }
        guard reply else { return }
      }
    }
  }

  deinit {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  /// RFC 1035 §4.1: the question, and behind it at most one address record.
  private func answer(to query: [UInt8], from answers: [String]) -> [UInt8] {
    var end = 12
    while end < query.count, query[end] != 0 { end += Int(query[end]) + 1 }
    let question = query[12..<min(end + 5, query.count)]
    let isAddress = question.dropLast(2).last == 1
    var reply = query[..<2] + [0x85, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0] + question
    if isAddress {
      let turn = asked.add(1, ordering: .relaxed).oldValue
      let address = inet_addr(answers[min(turn, answers.count - 1)])
      reply += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]
      reply += withUnsafeBytes(of: address) { Array($0) }
    }
    return Array(reply)
  }
}
