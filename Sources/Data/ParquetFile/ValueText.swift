/// Dates and times as ISO 8601 text in the proleptic Gregorian calendar.
enum TimeText {
  /// `2026-11-24`; years outside of 0...9999 have a sign and as many digits as they need.
  static func date(_ days: Int64) -> String {
    let (year, month, day) = civil(days)
    let yearText =
      (0...9999).contains(year)
      ? padded(year, 4) : (year < 0 ? "-" : "+") + padded(Int64(year.magnitude), 4)
    return "\(yearText)-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// `13:05:00.000` from units since midnight; beyond a day the hours just go on.
  static func time(_ value: Int64, _ unit: ParquetTimeUnit) -> String {
    let (seconds, fraction) = divide(value, unit.perSecond)
    let sign = seconds < 0 ? "-" : ""
    let (hours, rest) = divide(Int64(clamping: seconds.magnitude), 3600)
    return sign + padded(hours, 2) + ":" + padded(rest / 60, 2) + ":" + padded(rest % 60, 2) + "."
      + padded(fraction, unit.digits)
  }

  static func timestamp(_ value: Int64, _ unit: ParquetTimeUnit, isUTC: Bool) -> String {
    let (seconds, fraction) = divide(value, unit.perSecond)
    let (days, second) = divide(seconds, 86_400)
    return date(days) + "T" + time(second * unit.perSecond + fraction, unit) + (isUTC ? "Z" : "")
  }

  /// From nanoseconds of a day and a Julian day number.
  static func int96(nanos: Int64, julianDay: Int64) -> String {
    // Day 2,440,588 is 1 January 1970. Nanoseconds beyond a day move the date, as elsewhere.
    let (days, rest) = divide(nanos, 86_400_000_000_000)
    return date(julianDay - 2_440_588 + days) + "T" + time(rest, .nanos)
  }

  /// Division with a remainder that is never negative.
  private static func divide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
    return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
  }

  /// Year, month and day of a count of days since 1970.
  private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
    // Counted from 1 March of year 0, so that the leap day ends a year; 146,097 days are 400 years.
    let (era, dayOfEra) = divide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private static func padded(_ value: Int64, _ digits: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}

/// Decimals as text with all their digits.
enum DecimalText {
  /// The most bytes of an unscaled value: more than any writer's 256 bits.
  static let longest = 64

  static func text(_ unscaled: Int64, scale: Int) -> String {
    point(String(unscaled.magnitude), scale: scale, isNegative: unscaled < 0)
  }

  /// From a big-endian two's complement of at most ``longest`` bytes.
  static func text(_ bytes: ArraySlice<UInt8>, scale: Int) -> String {
    let isNegative = bytes.first.map { $0 >= 0x80 } ?? false
    var magnitude = Array(bytes)
    if isNegative {
      var carry: UInt16 = 1
      for index in magnitude.indices.reversed() {
        carry += UInt16(~magnitude[index])
        magnitude[index] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
    }
    // Schoolbook division: nine digits at a time.
    var groups: [String] = []
    var first = magnitude.firstIndex { $0 != 0 } ?? magnitude.endIndex
    while first < magnitude.endIndex {
      var rest: UInt64 = 0
      for index in first..<magnitude.endIndex {
        rest = rest << 8 | UInt64(magnitude[index])
        magnitude[index] = UInt8(rest / 1_000_000_000)
        rest %= 1_000_000_000
      }
      while first < magnitude.endIndex, magnitude[first] == 0 { first += 1 }
      let digits = String(rest)
      let isLast = first == magnitude.endIndex
      groups.append(
        (isLast ? "" : String(repeating: "0", count: 9 - digits.utf8.count)) + digits)
    }
    let digits = groups.isEmpty ? "0" : groups.reversed().joined()
    return point(digits, scale: scale, isNegative: isNegative)
  }

  private static func point(_ digits: String, scale: Int, isNegative: Bool) -> String {
    let sign = isNegative ? "-" : ""
    guard scale > 0 else { return sign + digits }
    let whole = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
    return sign + whole.dropLast(scale) + "." + whole.suffix(scale)
  }
}
