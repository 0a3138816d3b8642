import Foundation

/// Whether names are looked up: at all, quickly, several at a time, and truthfully.
package enum DNSCheck {
  package struct Facts: Sendable, Equatable {
    /// Of the hosts that the other checks visit; empty when they are addresses.
    package var lookups: [HostLookup]
    /// Of names that do not exist, all asked at once.
    package var nowhere: [HostLookup]
    /// Seconds until the last of `nowhere` was answered.
    package var nowhereSeconds: Double

    package init(lookups: [HostLookup], nowhere: [HostLookup] = [], nowhereSeconds: Double = 0) {
      self.lookups = lookups
      self.nowhere = nowhere
      self.nowhereSeconds = nowhereSeconds
    }
  }

  private static let resolverFile = "/etc/resolv.conf"
  private static let slow = 1.0

  package static func finding(_ facts: Facts) -> Finding {
    guard !facts.lookups.isEmpty else {
      return Finding("dns", .ok, "not needed: only addresses are asked for")
    }
    let failed = facts.lookups.filter { $0.error != nil }
    let seconds = facts.lookups.map(\.seconds).max() ?? 0
    let values = [
      "lookup_seconds": seconds, "lookups_failed": Double(failed.count),
      "parallel_lookups": Double(facts.nowhere.count), "parallel_seconds": facts.nowhereSeconds,
    ]
    if let first = failed.first {
      let isDead = failed.count == facts.lookups.count
      return Finding(
        "dns", isDead ? .fail : .warn,
        isDead
          ? "no name can be looked up: \(first.host): \(first.error ?? "")"
          : "\(failed.count) of \(facts.lookups.count) names fail: \(first.host): "
            + (first.error ?? ""),
        remedy:
          "check the nameserver lines of \(resolverFile) and that UDP and TCP port 53 are open",
        values: values)
    }
    if let lie = facts.nowhere.first(where: { !$0.addresses.isEmpty }) {
      return Finding(
        "dns", .warn,
        "names that do not exist resolve to \(lie.addresses[0]): the resolver hijacks NXDOMAIN",
        remedy: "use a resolver that says no (nameserver in \(resolverFile)), or dead hosts"
          + " will look like pages", values: values)
    }
    let atOnce =
      facts.nowhere.isEmpty
      ? ""
      : ", \(facts.nowhere.count) at once in \(Amount.seconds(facts.nowhereSeconds))"
    let measured = "\(facts.lookups.count) names in \(Amount.seconds(seconds)) or less\(atOnce)"
    guard max(seconds, facts.nowhereSeconds) <= slow else {
      return Finding(
        "dns", .warn, measured,
        remedy: "a resolver on this machine or next to it (unbound, systemd-resolved) answers in"
          + " milliseconds", values: values)
    }
    return Finding("dns", .ok, measured, values: values)
  }

  /// Looks up `hosts`, then names of no one, each at most `bound` seconds.
  static func facts(hosts: [String], bound: Double) async -> Facts {
    guard !hosts.isEmpty else { return Facts(lookups: []) }
    let clock = ContinuousClock()
    let endings = ["com", "org", "net", "info"]
    // 80 random bits: nobody has registered them.
    let nobody = endings.map { ending in
      "pairloom-" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(20) + "." + ending
    }
    async let lookups = all(hosts, bound: bound)
    let start = clock.now
    let nowhere = await all(nobody, bound: bound)
    let seconds = (clock.now - start) / .seconds(1)
    return Facts(lookups: await lookups, nowhere: nowhere, nowhereSeconds: seconds)
  }

  private static func all(_ hosts: [String], bound: Double) async -> [HostLookup] {
    await withTaskGroup(of: (Int, HostLookup).self) { group in
      for (index, host) in hosts.enumerated() {
        group.addTask {
          let late = HostLookup(host: host, seconds: bound, error: "no answer in \(Int(bound)) s")
          return (index, await within(bound) { HostLookup.run(host) } ?? late)
        }
      }
      var found: [(Int, HostLookup)] = []
      for await result in group { found.append(result) }
      return found.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
}
