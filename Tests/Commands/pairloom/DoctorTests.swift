import FaultServer
import Foundation
import HTTPFetch
import Testing
import URLPipeline
import pairloom

/// What each check makes of facts that no test machine has.
@Suite struct DoctorVerdictTests {
  static let here = HostLookup(host: "a.test", seconds: 0.01, addresses: ["192.0.2.1"])
  static let dead = HostLookup(host: "b.test", seconds: 0.01, error: "no answer")

  @Test("dns: dead, half dead, lying, slow and well")
  func dns() {
    func verdict(_ facts: DNSCheck.Facts, _ words: String) -> Finding.Verdict {
      let finding = DNSCheck.finding(facts)
      #expect(finding.lines.joined().contains(words), "\(finding.lines)")
      return finding.verdict
    }
    #expect(verdict(.init(lookups: [Self.dead, Self.dead]), "/etc/resolv.conf") == .fail)
    #expect(verdict(.init(lookups: [Self.here, Self.dead]), "1 of 2 names") == .warn)
    let nobody = HostLookup(host: "nobody.test", seconds: 0.01, addresses: ["203.0.113.9"])
    #expect(
      verdict(.init(lookups: [Self.here], nowhere: [Self.dead, nobody]), "203.0.113.9") == .warn)
    let slow = HostLookup(host: "a.test", seconds: 2.5, addresses: ["192.0.2.1"])
    #expect(verdict(.init(lookups: [slow]), "2.5 s") == .warn)
    // One after the other: each is quick, all together are not.
    #expect(
      verdict(.init(lookups: [Self.here], nowhere: [Self.dead], nowhereSeconds: 3), "3.0 s")
        == .warn)
    #expect(
      verdict(.init(lookups: [Self.here], nowhere: [Self.dead], nowhereSeconds: 0.02), "10 ms")
        == .ok)
    #expect(verdict(.init(lookups: []), "not needed") == .ok)
  }

  static let plain = WebVisit(url: "http://a.test/", status: 200, seconds: 0.1)
  static let secure = WebVisit(url: "https://a.test/", status: 200, seconds: 0.1)
  static func failed(_ url: String, _ failure: FetchFailure) -> WebVisit {
    WebVisit(url: url, failure: failure, detail: "words", seconds: 1)
  }

  static let webs: [(visits: [WebVisit], proxies: [String], Finding.Verdict, String)] = [
    ([plain, secure], [], .ok, "200 in 100 ms"),
    // An error page is an answer of the web.
    ([WebVisit(url: "http://a.test/", status: 404, failure: .httpStatus)], [], .ok, "404"),
    ([failed("http://a.test/", .connect), secure], [], .fail, "none over http"),
    ([plain, failed("https://a.test/", .timeout)], [], .fail, "none over https"),
    ([plain, failed("http://b.test/", .connect), secure], [], .warn, "1 of 3 pages"),
    ([failed("http://a.test/", .noSuchHost)], [], .fail, "mend dns first"),
    ([failed("http://a.test/", .addressRefused)], [], .fail, "allow_addresses"),
    ([failed("http://a.test/", .connect)], ["https_proxy"], .fail, "download.proxy"),
    ([plain], ["https_proxy"], .warn, "without the proxy of https_proxy"),
    // The handshake came back: it is for the TLS check to say why.
    ([plain, failed("https://a.test/", .tls)], [], .ok, "http://a.test/"),
  ]

  @Test("egress: per scheme, per cause, and with a proxy in the environment", arguments: webs)
  func egress(
    visits: [WebVisit], proxies: [String], verdict: Finding.Verdict, words: String
  ) {
    let finding = EgressCheck.finding(.init(visits: visits, proxyVariables: proxies))
    #expect(finding.verdict == verdict)
    #expect(finding.lines.joined().contains(words), "\(finding.lines)")
  }

  @Test("tls: no authorities, a refused certificate, a wrong clock, and untried")
  func tls() {
    func finding(
      _ visits: [WebVisit], bundle: String? = "/ca.pem", offset: Double? = 0
    ) -> Finding {
      TLSCheck.finding(
        .init(
          bundle: bundle, authorities: bundle == nil ? 0 : 130, visits: visits,
          clockOffset: offset))
    }
    #expect(finding([Self.secure]).verdict == .ok)
    #expect(finding([Self.secure], bundle: nil).remedy?.contains("ca-certificates") == true)
    let refused = finding([Self.failed("https://a.test/", .tls)])
    #expect(refused.verdict == .fail)
    #expect(refused.remedy?.contains("/ca.pem") == true)
    let skewed = finding([Self.failed("https://a.test/", .tls)], offset: -400 * 86_400)
    #expect(skewed.remedy?.contains("mend clock first") == true)
    #expect(finding([Self.failed("https://a.test/", .connect)]).verdict == .warn)
    #expect(finding([Self.plain]).verdict == .ok)
  }

  @Test(
    "user agent: a page or a mail address of the user's own",
    arguments: [
      (FetchOptions.defaultUserAgent, false), ("Mozilla/5.0", false), ("bot/1 (@home)", false),
      ("bot/1 (+https://me.test/bot)", true), ("bot/1 (me@there.org)", true),
      ("bot/1; contact: a.b@c.d.e", true), ("user@host", false), ("a@.b", false),
    ])
  func userAgent(text: String, hasContact: Bool) {
    #expect((UserAgentCheck.warning(userAgent: text) == nil) == hasContact)
    #expect(UserAgentCheck.finding(userAgent: text).verdict == (hasContact ? .ok : .warn))
  }

  @Test("clock: whole seconds are forgiven, minutes warned of, hours refused")
  func clock() {
    func verdict(_ offsets: [Double]) -> Finding.Verdict {
      ClockCheck.finding(
        offsets.map { ServerTime(server: "a.test", offset: $0, roundTrip: 0.2) }
      ).verdict
    }
    #expect(verdict([0.9, -1.4]) == .ok)
    #expect(verdict([40]) == .warn)
    #expect(verdict([-7_200]) == .fail)
    // One server with a wrong clock of its own does not outvote two.
    #expect(verdict([0, 0.5, -9_000]) == .ok)
    #expect(verdict([]) == .warn)
  }

  @Test("a Date header is read by RFC 9110, and nothing else is taken for one")
  func dates() {
    func date(_ line: String) -> Double? {
      ServerTime.date(in: Array("HTTP/1.1 200 OK\r\nServer: x\r\n\(line)\r\n\r\n".utf8))
    }
    // The RFC's own example.
    #expect(date("Date: Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
    #expect(date("date:Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
    for wrong in ["Date: yesterday", "Date: 784111777", "Dates: Sun, 06 Nov 1994 08:49:37 GMT"] {
      #expect(date(wrong) == nil)
    }
    #expect(date("Date: Sun, 06 Nov 99999999999 08:49:37 GMT") == nil)
  }

  static func volume(
    free: Double = 1e12, files: Double? = 1e6, network: Bool = false, fsync: Double? = 0.001,
    problem: String? = nil
  ) -> Volume {
    Volume(
      path: "/data", freeBytes: free, freeFiles: files, kind: network ? "nfs4" : "ext4",
      isNetwork: network, fsyncSeconds: fsync, problem: problem)
  }

  static let disks: [(Volume, RunEstimate, Finding.Verdict, String)] = {
    let run = RunEstimate(rows: 1_000_000, bytes: 50e9, files: 9_000)
    return [
      (volume(), run, .ok, "about 50.0 GB needed"),
      (volume(free: 40e9), run, .fail, "free some space"),
      (volume(free: 60e9), run, .warn, "close"),
      (volume(files: 100), run, .fail, "chunk_rows"),
      (volume(files: nil), run, .ok, "ext4"),
      (volume(network: true), run, .fail, "nfs4, a network file system"),
      (volume(fsync: 0.2), run, .warn, "fsync in 200 ms"),
      (volume(fsync: nil, problem: "fsync: Input/output error"), run, .fail, "Input/output"),
      (volume(), RunEstimate(rows: nil, bytes: nil, files: nil), .ok, "1.0 TB free"),
      (volume(free: 5e8), RunEstimate(rows: nil, bytes: nil, files: nil), .warn, "500 MB"),
    ]
  }()

  @Test("disk: room, files, a network's disk, fsync", arguments: disks)
  func disk(volume: Volume, needs: RunEstimate, verdict: Finding.Verdict, words: String) {
    let finding = DiskCheck.finding(volume, needs: needs)
    #expect(finding.verdict == verdict)
    #expect(finding.lines.joined().contains(words), "\(finding.lines)")
  }

  @Test("the file system of a path is the deepest mount above it, the later of two")
  func mounts() {
    let mounts = #"""
      22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
      30 22 0:44 / /data rw - nfs4 server:/export rw
      31 22 0:45 / /data/local\040disk rw - xfs /dev/sdb rw
      32 22 0:46 / /mnt rw - ext4 /dev/sdc rw
      33 32 0:47 / /mnt rw master:1 - fuse.sshfs me@there: rw
      broken line
      """#
    for (path, kind, isNetwork) in [
      ("/home/me", "ext4", false), ("/data/run", "nfs4", true), ("/data", "nfs4", true),
      ("/data/local disk/run", "xfs", false), ("/database", "ext4", false),
      ("/mnt/x", "fuse.sshfs", true),
    ] {
      let found = Volume.kind(of: path, mountinfo: mounts)
      #expect(found.name == kind, "\(path)")
      #expect(found.isNetwork == isNetwork, "\(path)")
    }
    #expect(Volume.kind(of: "/x", mountinfo: "").name == "unknown")
  }

  @Test("open files, memory and cores against what the recipe asks for")
  func machine() {
    var facts = MachineFacts(
      openFiles: 1_024, openFilesLimit: 4_096, availableMemory: 8e9, cores: 4, coreQuota: nil)
    #expect(DescriptorCheck.finding(facts, concurrency: 256).verdict == .ok)
    let many = DescriptorCheck.finding(facts, concurrency: 5_000)
    #expect(many.verdict == .fail)
    // (4096 − 128) / 3: what the limit does allow.
    #expect(many.remedy?.contains("download.concurrency=1322") == true)
    func memory() -> Finding.Verdict {
      MemoryCheck.finding(facts, concurrency: 256, decodeThreads: 4, maxPixels: 89_478_485).verdict
    }
    #expect(memory() == .ok)
    facts.availableMemory = 1e9
    #expect(memory() == .warn)
    facts.availableMemory = 1e8
    #expect(memory() == .fail)
    #expect(CoresCheck.finding(facts, decodeThreads: 4).verdict == .ok)
    facts.coreQuota = 1.5
    let capped = CoresCheck.finding(facts, decodeThreads: 4)
    #expect(capped.verdict == .warn)
    #expect(capped.remedy?.contains("decode_threads=2") == true)
    #expect(MachineFacts.coreQuota(cpuMax: "150000 100000\n") == 1.5)
    #expect(MachineFacts.coreQuota(cpuMax: "max 100000\n") == nil)
    #expect(
      MachineFacts.availableMemory(meminfo: "MemTotal: 9 kB\nMemAvailable:    1024 kB\n")
        == 1_048_576)
  }

  @Test("a list's rows are guessed from its first lines, and its needs from its rows")
  func estimate() throws {
    let folder = try TemporaryFolder()
    let list = folder.path + "/list.csv"
    let line = "http://a.test/0123456789.jpg,a caption\n"
    try String(repeating: line, count: 60_000).write(
      toFile: list, atomically: true, encoding: .utf8)
    let rows = try #require(RunEstimate.rows(of: list))
    // All lines are alike, so the guess is off by the line that the first mebibyte cuts.
    #expect(abs(rows - 60_000) < 10)
    #expect(RunEstimate.rows(of: folder.path) == nil)
    #expect(RunEstimate.rows(of: folder.path + "/none.csv") == nil)
    func needs(_ options: [String]) throws -> Double {
      let recipe = try PipelineRecipe(
        yaml: "input: x.csv", path: "r", overrides: options)
      return try #require(RunEstimate(rows: 1_000_000, recipe: recipe).bytes)
    }
    let plain = try needs([])
    // img2dataset's README: 29.9 GB of pictures; tables and what is in flight come on top.
    #expect((29.9e9...38e9).contains(plain))
    #expect(try needs(["image_size=512"]) > 3 * plain)
    #expect(try needs(["model=m", "filter.min_score=0.2"]) > 1.8 * plain)
  }

  @Test("work that never ends is given up")
  func bounded() async {
    let never = DispatchSemaphore(value: 0)
    #expect(await within(0.02) { never.wait() } == nil)
    never.signal()
    #expect(await within(60) { 7 } == 7)
  }
}

/// The command as a user runs it.
@Suite(.serialized) struct DoctorCommandTests {
  struct Answer: Decodable {
    struct Finding: Decodable {
      var check, verdict, measured: String
      var remedy: String?
    }
    var findings: [Finding]
    var verdict: String

    func of(_ check: String) throws -> Finding {
      try #require(findings.first { $0.check == check })
    }
  }

  static let loopback = [
    "--json", "--set", "allow_addresses=127.0.0.0/8", "--set",
    "download.user_agent=test/1 (me@there.org)",
  ]

  @Test("an origin that answers is egress; checks stand in their order")
  func healthy() throws {
    let folder = try TemporaryFolder()
    let server = try FaultServer()
    let result = try Program.run(
      ["doctor", "--origin", server.url("/ok/10"), "--folder", folder.path + "/not/there/yet"]
        + Self.loopback)
    #expect(result.status == 0, "\(result.output)\(result.error)")
    let answer = try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
    #expect(
      answer.findings.map(\.check) == [
        "dns", "egress", "tls", "user agent", "clock", "disk", "open files", "memory", "cores",
      ])
    #expect(try answer.of("egress").verdict == "ok")
    #expect(try answer.of("user agent").verdict == "ok")
    #expect(try answer.of("disk").measured.contains("fsync in"))
    // The kit's server sends no Date.
    #expect(try answer.of("clock").verdict == "warn")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    #expect(server.counters.userAgents.contains("test/1 (me@there.org)"))
  }

  @Test("an origin that never answers fails in bounded time, with a remedy and exit code 1")
  func hanging() throws {
    let server = try FaultServer()
    let clock = ContinuousClock()
    let start = clock.now
    let result = try Program.run(["doctor", "--origin", server.url("/hang")] + Self.loopback)
    // The promise is ten seconds per check, all at once; the rest is the machine's haste.
    #expect(clock.now - start < .seconds(15))
    #expect(result.status == 1)
    let answer = try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
    let egress = try answer.of("egress")
    #expect(egress.verdict == "fail")
    #expect(egress.measured.contains("timeout"))
    #expect(egress.remedy?.contains("ports 80 and 443") == true)
  }

  /// Runs `openssl`; nil where there is none.
  static func openssl(_ arguments: [String]) -> Process? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    return (try? process.run()) == nil ? nil : process  // no such program
  }

  static let hasOpenSSL = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

  @Test("a certificate that nobody vouches for fails tls, not egress", .enabled(if: hasOpenSSL))
  func selfSigned() throws {
    let folder = try TemporaryFolder()
    let (key, certificate) = (folder.path + "/key.pem", folder.path + "/cert.pem")
    let maker = try #require(
      Self.openssl([
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
      ]))
    maker.waitUntilExit()
    #expect(maker.terminationStatus == 0)
    let port = try FreePort.find()
    let server = try #require(
      Self.openssl([
        "s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www",
      ]))
    defer {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    while !FreePort.isTaken(port) && server.isRunning { usleep(5_000) }
    let result = try Program.run(
      ["doctor", "--origin", "https://127.0.0.1:\(port)/"] + Self.loopback)
    #expect(result.status == 1, "\(result.error)")
    let answer = try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
    #expect(try answer.of("tls").verdict == "fail")
    #expect(try answer.of("tls").remedy?.contains("trust its authority") == true)
    #expect(try answer.of("egress").verdict == "ok", "\(result.output)")
  }

  /// Whether this machine lets a user make network namespaces.
  static let canBeOffline: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-rn", "true"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }  // no such program
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  @Test("without any network it says so, quickly", .enabled(if: canBeOffline))
  func offline() throws {
    // A network namespace of its own holds nothing but a loopback that is down.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-rn", Program.path, "doctor"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    let clock = ContinuousClock()
    let start = clock.now
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(clock.now - start < .seconds(15))
    #expect(process.terminationStatus == 1)
    #expect(text.contains("fail  egress"))
    #expect(text.contains("fail  dns"))
    #expect(text.contains("→ "))
  }

  @Test("wrong usage ends with 2")
  func usage() throws {
    for arguments in [
      ["doctor", "nonsense"], ["doctor", "--set", "imagesize=3"],
      ["doctor", "--origin", "ftp://a.test/"], ["doctor", "--workers", "0"],
    ] {
      let result = try Program.run(arguments)
      #expect(result.status == 2, "\(arguments): \(result.error)")
    }
  }

  @Test("a run begins with a warning where its user agent names no contact of the user's")
  func warning() throws {
    let folder = try TemporaryFolder()
    let list = folder.path + "/list.txt"
    try "http://127.0.0.1:1/a.jpg\n".write(toFile: list, atomically: true, encoding: .utf8)
    func run(_ name: String, _ options: [String]) throws -> String {
      try Program.run(
        [
          "run", "urls", "--folder", folder.path + "/" + name, "--set", "input=\(list)", "--set",
          "download.attempts=1",
        ] + options
      ).error
    }
    #expect(try run("a", []).contains("warning: no contact is set"))
    #expect(
      try !run("b", ["--set", "download.user_agent=me/1 (me@there.org)"]).contains("warning:"))
  }
}

/// Ports of the loopback, for servers that cannot choose one themselves.
enum FreePort {
  /// A port that was free a moment ago.
  static func find() throws -> Int {
    let server = try FaultServer()
    defer { server.stop() }
    return server.port
  }

  /// Whether something listens there.
  static func isTaken(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
