import Collectives
import Glibc
import RankThreads
import Testing

@Suite struct FailureTests {
  @Test("a rank that leaves is named by every other rank", arguments: 2...5)
  func lostPeer(world: Int) throws {
    let lost = world / 2
    let results = try Ranks.run(world) { group in
      var buffer = [Float](repeating: 1, count: 300_000)
      try group.allReduceSum(&buffer)
      if group.rank == lost {
        group.close()
        return
      }
      for _ in 0..<3 { try group.allReduceSum(&buffer) }
    }
    for (rank, result) in results.enumerated() where rank != lost {
      #expect(throws: CollectiveError.peerLost(rank: lost, operation: "all-reduce")) {
        try result.get()
      }
    }
  }

  @Test("a rank that stays silent ends every wait at the deadline, and the group stays broken")
  func silentPeer() throws {
    let release = Shared(false)
    let results = try Ranks.run(3, operationDeadline: 0.5) { group in
      if group.rank == 2 {
        while !release.value.withLock({ $0 }) { sched_yield() }
        return 0
      }
      defer { if group.rank == 0 { release.value.withLock { $0 = true } } }
      var failures = 0
      for _ in 0..<2 {
        do { try group.barrier() } catch { failures += 1 }
      }
      return failures
    }
    #expect(try results.map { try $0.get() } == [2, 2, 0])
  }

  @Test("a wrong token is refused, and those who know it still meet")
  func wrongToken() throws {
    let port = try ProcessGroup.freeLoopbackPort()
    let isRefused = Shared(false)
    let results = Ranks.each(3) { index in
      // Index 2 is a stranger that claims rank 1; the real one comes after it.
      defer { if index == 2 { isRefused.value.withLock { $0 = true } } }
      while index == 1, !isRefused.value.withLock({ $0 }) { sched_yield() }
      let group = try ProcessGroup.connect(
        rank: min(index, 1), worldSize: 2, rendezvous: "127.0.0.1:\(port)",
        token: index == 2 ? "guess" : "secret", deadline: 30)
      defer { group.close() }
      return try group.allGather([Float(index)])
    }
    #expect(try results[0].get() == [[0], [1]])
    #expect(try results[1].get() == [[0], [1]])
    #expect(throws: CollectiveError.refused("the token is wrong")) { try results[2].get() }
  }

  @Test("missing ranks are named when the deadline passes")
  func missing() throws {
    let port = try ProcessGroup.freeLoopbackPort()
    #expect(throws: CollectiveError.notAllArrived(missing: [1, 2], seconds: 0.2)) {
      try ProcessGroup.connect(
        rank: 0, worldSize: 3, rendezvous: "127.0.0.1:\(port)", token: "", deadline: 0.2)
    }
  }

  @Test("strangers that dial without end do not move the deadline")
  func strangers() throws {
    let port = try ProcessGroup.freeLoopbackPort()
    let isOver = Shared(false)
    let results = Ranks.each(2) { index in
      if index == 0 {
        defer { isOver.value.withLock { $0 = true } }
        _ = try ProcessGroup.connect(
          rank: 0, worldSize: 2, rendezvous: "127.0.0.1:\(port)", token: "", deadline: 0.3)
        return
      }
      while !isOver.value.withLock({ $0 }) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafePointer(to: &address) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
          }
        }
      }
    }
    #expect(throws: CollectiveError.notAllArrived(missing: [1], seconds: 0.3)) {
      try results[0].get()
    }
  }

  @Test("ranks that disagree about a length find out at the first chunk")
  func lengthsDiffer() throws {
    let results = try Ranks.run(2) { group in
      var buffer = [Float](repeating: 1, count: group.rank == 0 ? 100 : 102)
      try group.allReduceSum(&buffer)
    }
    for result in results { #expect(throws: CollectiveError.self) { try result.get() } }
  }

  @Test("an address without a port is refused with advice", arguments: ["host", ":1", "h:99999"])
  func badAddress(text: String) {
    #expect(throws: CollectiveError.self) {
      try ProcessGroup.connect(
        rank: 1, worldSize: 2, rendezvous: text, token: "", deadline: 1)
    }
  }
}
