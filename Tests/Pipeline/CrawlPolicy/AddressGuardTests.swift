import CrawlPolicy
import Testing

@Suite struct AddressGuardTests {
  static let refused = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1",
    "2001:db8::1", "2001::1", "100::1", "64:ff9b:1::1",
    // By the IPv4 address inside: mapped, compatible, NAT64, 6to4.
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::",
  ]
  static let allowed = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "fbff::1", "2001:1::1",
  ]

  @Test("special and private addresses are refused", arguments: refused)
  func refuses(text: String) throws {
    #expect(try !AddressGuard().allows(#require(IPAddress(text))))
  }

  @Test("public addresses are allowed, up to the edges of the refused blocks", arguments: allowed)
  func allows(text: String) throws {
    #expect(try AddressGuard().allows(#require(IPAddress(text))))
  }

  @Test("an exception opens its block and nothing else")
  func exceptions() throws {
    let addressGuard = try AddressGuard(allowing: ["127.0.0.0/8", "fd00::/8", "10.1.2.3"])
    let open = ["127.0.0.1", "127.9.9.9", "fd12::1", "10.1.2.3", "::ffff:127.0.0.1", "8.8.8.8"]
    for text in open { #expect(try addressGuard.allows(#require(IPAddress(text))), "\(text)") }
    for text in ["10.1.2.4", "192.168.0.1", "fc00::1", "::1"] {
      #expect(try !addressGuard.allows(#require(IPAddress(text))), "\(text)")
    }
  }

  @Test("the blocks of length 0 hold all of their family")
  func everything() throws {
    let addressGuard = try AddressGuard(allowing: ["0.0.0.0/0", "::/0"])
    for text in Self.refused { #expect(try addressGuard.allows(#require(IPAddress(text)))) }
  }

  @Test(
    "what is no block is refused with its text",
    arguments: [
      "", "localhost", "10.0.0.0/33", "10.0.0/8", "::/129", "1.2.3.4/-1", "1.2.3.4/x", "/8",
    ])
  func badRange(text: String) {
    let error = #expect(throws: AddressRangeError.self) { try AddressGuard(allowing: [text]) }
    #expect(error?.text == text)
    #expect(error?.description.contains("127.0.0.0/8") == true)
  }
}

@Suite struct IPAddressTests {
  @Test("text and bytes give the same address")
  func forms() {
    #expect(IPAddress("192.0.2.1") == .v4(0xC000_0201))
    #expect(IPAddress(networkBytes: [192, 0, 2, 1]) == .v4(0xC000_0201))
    #expect(IPAddress("::1") == .v6(1))
    #expect(
      IPAddress("2001:db8::ff") == .v6(0x2001_0db8_0000_0000_0000_0000_0000_00ff))
    #expect(IPAddress("1.2.3") == nil && IPAddress("fe80::1%eth0") == nil && IPAddress("") == nil)
    #expect(IPAddress(networkBytes: [1, 2, 3]) == nil)
    for text in ["192.0.2.1", "2001:db8::ff", "::1", "::ffff:1.2.3.4", "fe80::1"] {
      #expect(IPAddress(text)?.description == text)
    }
  }

  @Test("the address is read out of a sockaddr's bytes")
  func socketAddress() {
    // AF_INET 2, port 80; AF_INET6 10, port 80, flow information 0.
    #expect(IPAddress(socketAddress: [2, 0, 0, 80, 127, 0, 0, 1]) == .v4(0x7F00_0001))
    let six: [UInt8] =
      [10, 0, 0, 80, 0, 0, 0, 0] + [0xFE, 0x80] + Array(repeating: 0, count: 13) + [1]
    #expect(IPAddress(socketAddress: six) == IPAddress("fe80::1"))
    #expect(IPAddress(socketAddress: [2, 0, 0, 80, 127]) == nil)
    #expect(IPAddress(socketAddress: [1, 0, 47]) == nil)
  }
}
