/// The W3C community group's TDM Reservation Protocol: response headers and the file of an origin.
///
/// <https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/>
package enum TDMReservation {
  /// Whether `tdm-reservation` header values reserve the rights: one of them is 1.
  ///
  /// 0 does not, and the protocol takes all else as unset.
  package static func reserves(_ value: String) -> Bool {
    value.utf8.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") })
      .contains { Array($0)[...].trimmed.elementsEqual("1".utf8) }
  }

  /// Reads tdmrep.json: an array of objects, at most `OriginFile.longest` bytes.
  ///
  /// A file that is no such array reserves nothing (the protocol has it so), and `problem` says why.
  /// An element that is no object, or lacks a location or a reservation of 0 or 1, is passed over.
  package static func fill(_ rules: inout OriginRules, from bytes: [UInt8]) {
    guard bytes.count < rules.file.longest else {
      rules.problem = "longer than \(rules.file.longest) bytes"
      return
    }
    let found: [TDMFileReader.Rule]
    do {
      found = try TDMFileReader.rules(bytes)
    } catch {
      rules.problem = "not a JSON array of rules"
      return
    }
    for rule in found {
      guard let location = rule.location, !location.isEmpty, let reservation = rule.reservation
      else { continue }
      // The line as evidence: the members that decide, in the protocol's order.
      var line = "{\"location\":\"\(location)\",\"tdm-reservation\":\(reservation)"
      if let policy = rule.policy { line += ",\"tdm-policy\":\"\(policy)\"" }
      rules.paths.append(
        reservation == 1 ? .disallow : .allow, pattern: Array(location.utf8)[...],
        line: Array((line + "}").utf8)[...])
    }
    rules.paths.finish()
  }
}
