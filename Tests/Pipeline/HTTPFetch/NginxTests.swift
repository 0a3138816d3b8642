import FaultServer
import Foundation
import HTTPFetch
import Testing

/// A real nginx with TLS and HTTP/2 on a free loopback port, with an authority of its own.
final class Nginx {
  static let program = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }
  static let isThere =
    program != nil && FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

  let folder: URL
  let port: Int
  let plainPort: Int
  /// TLS without HTTP/2, a connection per request.
  let closingPort: Int
  var caFile: String { folder.appending(path: "ca.pem").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "nginx-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    port = try FaultServer.freePort()
    plainPort = try FaultServer.freePort()
    closingPort = try FaultServer.freePort()
    // For localhost's address and a name; not for wrong.test.
    try Command.run(
      [
        "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=Pairloom test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:tls.test",
      ], in: folder.path)
    try Data(repeating: 7, count: 1000).write(to: folder.appending(path: "a.jpg"))
    // Larger than HTTP/2's first window of 64 KiB.
    try Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) })
      .write(to: folder.appending(path: "large.jpg"))
    try configuration.write(
      to: folder.appending(path: "nginx.conf"), atomically: true, encoding: .utf8)
    // The starting process ends when its daemon listens.
    try Command.run(
      [Self.program ?? "nginx", "-p", folder.path, "-c", "nginx.conf", "-e", "error.log"],
      in: folder.path)
  }

  deinit {
    let pid = try? String(contentsOf: folder.appending(path: "nginx.pid"), encoding: .utf8)
    if let pid = pid.flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }) {
      kill(pid, SIGKILL)
    }
    try? FileManager.default.removeItem(at: folder)
  }

  func url(_ path: String, host: String = "127.0.0.1") -> String {
    "https://\(host):\(port)\(path)"
  }

  /// "PROTOCOL CONNECTION RESUMED" of each request, the newest last; RESUMED is "r" or ".".
  func log() throws -> [[String]] {
    try String(contentsOf: folder.appending(path: "access.log"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  private var configuration: String {
    """
    daemon on; master_process off; pid nginx.pid; error_log error.log;
    events { worker_connections 512; }
    http {
      log_format facts '$server_protocol $connection $ssl_session_reused';
      access_log access.log facts;
      client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
      scgi_temp_path tmp;
      ssl_certificate ca.pem; ssl_certificate_key key.pem; ssl_session_cache shared:s:1m;
      server {
        listen 127.0.0.1:\(port) ssl http2;
        root .; default_type image/jpeg;
        location = /cut { return 444; }
      }
      server {
        listen 127.0.0.1:\(closingPort) ssl; keepalive_timeout 0; root .; default_type image/jpeg;
      }
      server { listen 127.0.0.1:\(plainPort); root .; default_type image/jpeg; }
    }
    """
  }
}

@Suite(.enabled(if: Nginx.isThere, "needs nginx and openssl: .ci/deps brings them"))
struct NginxTests {
  let nginx: Nginx

  init() throws { nginx = try Nginx() }

  private func fetch(
    _ urls: [String], _ change: (inout FetchOptions) -> Void = { _ in }
  ) async throws -> [FetchResult] {
    let options = testOptions {
      $0.caFile = nginx.caFile
      $0.attempts = 1
      change(&$0)
    }
    let table: [String: [HostAnswer]] = [
      "tls.test": [.texts("127.0.0.1")], "wrong.test": [.texts("127.0.0.1")],
    ]
    let fetcher = try Fetcher(options: options, resolver: TableResolver(table))
    defer { fetcher.shutDown() }
    return await results(of: urls, by: fetcher)
  }

  @Test("HTTP/2 carries many transfers over one connection")
  func multiplexes() async throws {
    let all = try await fetch((0..<60).map { nginx.url("/a.jpg?\($0)") })
    #expect(all.allSatisfy { $0.failure == nil && $0.body == Array(repeating: 7, count: 1000) })
    #expect(all.allSatisfy { $0.httpVersion == "h2" && $0.address == "127.0.0.1" })
    #expect(all.allSatisfy { $0.times.map { $0.firstByte > 0 } == true })
    let log = try nginx.log()
    #expect(log.count == 60 && log.allSatisfy { $0[0] == "HTTP/2.0" })
    #expect(Set(log.map { $0[1] }).count == 1)
  }

  @Test("bodies larger than the stream's window arrive whole, next to each other")
  func large() async throws {
    let all = try await fetch((0..<8).map { nginx.url("/large.jpg?\($0)") })
    let expected = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
    #expect(all.allSatisfy { $0.body == expected })
    #expect(all.allSatisfy { $0.etag != nil && $0.lastModified != nil })
  }

  @Test("a new connection to a known host resumes its TLS session, from any handle")
  func resumes() async throws {
    let options = testOptions {
      $0.caFile = nginx.caFile
      $0.connectionsPerHost = 1
    }
    let fetcher = try Fetcher(options: options)
    let urls = (0..<6).map { "https://127.0.0.1:\(nginx.closingPort)/a.jpg?\($0)" }
    let all = await results(of: urls, by: fetcher)
    #expect(all.allSatisfy { $0.failure == nil }, "\(all[0].detail)")
    let log = try nginx.log()
    #expect(Set(log.map { $0[1] }).count == 6 && log.allSatisfy { $0[0] == "HTTP/1.1" })
    #expect(log.dropFirst().allSatisfy { $0.last == "r" }, "\(log)")
  }

  @Test("certificates are checked: the authority, and the name")
  func certificates() async throws {
    let urls = [nginx.url("/a.jpg"), nginx.url("/a.jpg", host: "tls.test")]
    #expect(try await fetch(urls).map(\.failure) == [nil, nil])
    let wrong = try await fetch([nginx.url("/a.jpg", host: "wrong.test")])
    #expect(wrong[0].failure == .tls && wrong[0].detail.contains("wrong.test"))
    let strangers = try await fetch(urls) { $0.caFile = nil }
    #expect(strangers.map(\.failure) == [.tls, .tls])
    let careless = try await fetch(urls + [nginx.url("/a.jpg", host: "wrong.test")]) {
      $0.caFile = nil
      $0.verifyTLS = false
    }
    #expect(careless.map(\.failure) == [nil, nil, nil])
  }

  @Test("TLS to a plain port and an answer that is cut have their classes")
  func faults() async throws {
    let all = try await fetch([
      "https://127.0.0.1:\(nginx.plainPort)/a.jpg", nginx.url("/cut"), nginx.url("/none"),
      "http://127.0.0.1:\(nginx.port)/a.jpg", "http://127.0.0.1:\(nginx.plainPort)/a.jpg",
    ])
    #expect(all.map(\.failure) == [.tls, .incomplete, .httpStatus, .httpStatus, nil])
    #expect(all.map(\.status) == [nil, nil, 404, 400, 200])
  }

  @Test("HTTPS goes through a proxy's tunnel; the proxy's own headers are not the site's")
  func tunnel() async throws {
    let proxy = try FaultServer()
    let all = try await fetch([nginx.url("/a.jpg")]) { $0.proxy = proxy.url("") }
    #expect(all[0].failure == nil && all[0].httpVersion == "h2", "\(all[0].detail)")
    #expect(proxy.counters.connections == 1)
  }
}
