/// Whether this machine's clock agrees with the servers'.
package enum ClockCheck {
  /// Below this the header's whole seconds and the way there explain it.
  private static let close = 3.0
  /// Beyond this certificates and leases are in danger.
  private static let far = 300.0

  package static func finding(_ times: [ServerTime]) -> Finding {
    guard let offset = offset(times) else {
      return Finding(
        "clock", .warn, "no server told the time", remedy: "mend egress first, then ask again")
    }
    let side = offset >= 0 ? "ahead of" : "behind"
    let measured =
      "\(Amount.seconds(abs(offset))) \(side) "
      + (times.count == 1 ? times[0].server : "\(times.count) servers")
    let values = ["offset_seconds": offset]
    if abs(offset) <= close + (times.map(\.roundTrip).max() ?? 0) {
      return Finding("clock", .ok, measured, values: values)
    }
    return Finding(
      "clock", abs(offset) > far ? .fail : .warn, measured,
      remedy: "let the system keep the time: timedatectl set-ntp true", values: values)
  }

  /// The median of what the servers say; nil when none does.
  static func offset(_ times: [ServerTime]) -> Double? {
    let sorted = times.map(\.offset).sorted()
    return sorted.isEmpty ? nil : sorted[sorted.count / 2]
  }
}
