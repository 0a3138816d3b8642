import Foundation

/// What a proxy does for CONNECT: bytes to and fro between the client and a loopback port.
enum Tunnel {
  /// Serves until either side ends; a target that is not 127.0.0.1 gets 403.
  static func serve(_ client: Connection, target: String) {
    let parts = target.split(separator: ":")
    guard parts.count == 2, parts[0] == "127.0.0.1", let port = UInt16(parts[1]),
      let descriptor = connect(port)
    else {
      client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
      return
    }
    defer { close(descriptor) }
    let server = Connection(descriptor: descriptor)
    client.send("HTTP/1.1 200 Connection established\r\nX-Robots-Tag: noai\r\n\r\n")
    var entries = [client, server].map { pollfd(fd: $0.descriptor, events: 1, revents: 0) }
    while poll(&entries, 2, -1) > 0 {
      for (index, (from, to)) in [(client, server), (server, client)].enumerated()
      where entries[index].revents != 0 {
        let bytes = from.receive()
        guard !bytes.isEmpty, to.send(bytes) else { return }
      }
    }
  }

  private static func connect(_ port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = port.bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(descriptor)
      return nil
    }
    return descriptor
  }
}
