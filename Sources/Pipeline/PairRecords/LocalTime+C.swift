import Glibc

/// Points in time as people read them.
enum LocalTime {
  /// The time here, to the second: `2026-11-24 19:26:28 CET`.
  static func local(_ milliseconds: Int) -> String {
    String(words(milliseconds).prefix { $0 != "(" }.dropLast())
  }

  /// The time here and in UTC: `2026-11-24 19:26:28 CET (2026-11-24T18:26:28.120Z)`.
  static func words(_ milliseconds: Int) -> String {
    let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
    guard seconds >= 0, rest >= 0 else { return "\(milliseconds) ms since 1970" }
    var time = time_t(seconds)
    var (local, utc) = unsafe (tm(), tm())
    // Safe: both write to the structures given, which are ours.
    guard unsafe localtime_r(&time, &local) != nil, unsafe gmtime_r(&time, &utc) != nil else {
      return "\(milliseconds) ms since 1970"
    }
    let digits = String(rest)
    let fraction = String(repeating: "0", count: 3 - digits.utf8.count) + digits
    return unsafe text(local, "%Y-%m-%d %H:%M:%S %Z") + " ("
      + text(utc, "%Y-%m-%dT%H:%M:%S") + ".\(fraction)Z)"
  }

  private static func text(_ time: tm, _ format: String) -> String {
    var time = unsafe time
    var buffer = [CChar](repeating: 0, count: 80)
    // Safe: strftime writes no more than the count it is given.
    let count = unsafe strftime(&buffer, buffer.count, format, &time)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
