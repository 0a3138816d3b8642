import Foundation
import FoundationNetworking
import ImageCodec
import SceneWorld
import Testing
import pairloom

@Suite struct SceneOriginTests {
  let world = DemoWorld(rows: 600, seed: 4)

  /// One session with one connection, so that keep-alive is to be seen.
  private func session() -> URLSession {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpMaximumConnectionsPerHost = 1
    return URLSession(configuration: configuration)
  }

  private func get(
    _ session: URLSession, _ url: String, method: String = "GET"
  ) async throws -> (body: [UInt8], response: HTTPURLResponse) {
    var request = URLRequest(url: try #require(URL(string: url)))
    request.httpMethod = method
    let (data, response) = try await session.data(for: request)
    return (Array(data), try #require(response as? HTTPURLResponse))
  }

  @Test("Every row ends as its truth says")
  func faults() async throws {
    let origin = try SceneOrigin(world: world)
    defer { origin.stop() }
    let session = session()
    var seen: Set<DemoFault> = []
    for row in world.rows {
      seen.insert(row.fault)
      let url = origin.address + row.path
      switch row.fault.expected {
      case .pairAfterRetry:
        for _ in 0..<row.failuresBefore {
          let failed = try await get(session, url).response
          #expect([429, 500, 503].contains(failed.statusCode))
          let retry = failed.value(forHTTPHeaderField: "Retry-After")
          #expect((failed.statusCode == 429) == (retry.flatMap { Int($0) } != nil))
        }
        fallthrough
      case .pair, .duplicateBytes, .duplicateURL:
        let (body, response) = try await get(session, url)
        #expect(response.statusCode == 200 && response.mimeType == row.format.mediaType)
        #expect(ImageFormat.recognise(body)?.rawValue == row.format.rawValue)
        let image = try ImageDecoder.decode(body)
        #expect(image.width == 32 && image.height == 32)
        #expect(try body == world.picture(of: row.duplicateOf ?? row.id))
      case .httpStatus:
        #expect(try await get(session, url).response.statusCode == 404)
      case .incomplete:
        await #expect(throws: URLError.self) { try await get(session, url) }
      case .undecodable:
        let (body, response) = try await get(session, url)
        #expect(response.statusCode == 200)
        #expect(throws: ImageError.self, "row \(row.id)") { try ImageDecoder.decode(body) }
      }
    }
    #expect(seen == Set(DemoFault.allCases))
  }

  @Test("Requests of one client share a connection, errors included")
  func keepAlive() async throws {
    let origin = try SceneOrigin(world: world)
    defer { origin.stop() }
    let session = session()
    let rows = world.rows.filter { $0.fault != .truncated }.prefix(200)
    for row in rows { _ = try await get(session, origin.address + row.path) }
    #expect(origin.statistics.requests == 200)
    // One, but that a client may let go of a connection that a busy machine left idle for seconds.
    #expect((1...4).contains(origin.statistics.connections))
  }

  @Test("Many clients at once get the same bytes as one")
  func concurrency() async throws {
    let origin = try SceneOrigin(world: world)
    defer { origin.stop() }
    let rows = world.rows.filter { $0.fault == .none }.prefix(160)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for row in rows {
        group.addTask {
          let url = try #require(URL(string: origin.address + row.path))
          let (data, _) = try await URLSession.shared.data(from: url)
          #expect(try Array(data) == world.picture(of: row.id))
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("A HEAD has the length and no body; unknown paths and methods are refused")
  func otherRequests() async throws {
    let origin = try SceneOrigin(world: world)
    defer { origin.stop() }
    let session = session()
    let row = try #require(world.rows.first { $0.fault == .none })
    let head = try await get(session, origin.address + row.path, method: "HEAD")
    let length = try world.picture(of: row.id).count
    #expect(head.body.isEmpty)
    #expect(head.response.value(forHTTPHeaderField: "Content-Length") == "\(length)")
    #expect(try await get(session, origin.address + "/else").response.statusCode == 404)
    let post = try await get(session, origin.address + row.path, method: "POST")
    #expect(post.response.statusCode == 405)
  }

  @Test("A stopped origin answers no more, and its port is free")
  func stopping() async throws {
    let origin = try SceneOrigin(world: world)
    let session = session()
    _ = try await get(session, origin.address + world.rows[0].path)
    origin.stop()
    await #expect(throws: URLError.self) {
      try await get(session, origin.address + world.rows[0].path)
    }
    let next = try SceneOrigin(world: world, port: origin.port)
    #expect(next.port == origin.port)
    #expect(throws: LoopbackError.self) { try SceneOrigin(world: world, port: origin.port) }
    next.stop()
  }

  @Test("A request may come in pieces, or two at once")
  func reading() {
    var reader = OriginRequestReader()
    let text = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nConnection: Close\r\n\r\n"
    var requests: [OriginRequest] = []
    for byte in text.utf8 {
      reader.append([byte])
      if case .request(let request) = reader.next() { requests.append(request) }
    }
    let expected = [
      OriginRequest(method: "GET", path: "/a", keepsAlive: true),
      OriginRequest(method: "GET", path: "/c", keepsAlive: false),
    ]
    #expect(requests == expected)
    var whole = OriginRequestReader()
    whole.append(Array(text.utf8))
    #expect(whole.next() == .request(expected[0]) && whole.next() == .request(expected[1]))
    #expect(whole.next() == .needsMore)
    var broken = OriginRequestReader()
    broken.append(Array("nonsense\r\n\r\n".utf8))
    #expect(broken.next() == .malformed)
  }
}
