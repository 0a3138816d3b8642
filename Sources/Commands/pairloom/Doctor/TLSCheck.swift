import DurableFiles
import HTTPFetch

/// Whether certificates can be checked: a bundle of authorities, the right time, pages that pass.
package enum TLSCheck {
  package struct Facts: Sendable, Equatable {
    /// The file of trusted authorities; nil when none was found.
    package var bundle: String?
    package var authorities: Int
    package var visits: [WebVisit]
    /// Seconds that this machine's clock is ahead of the servers'; nil when none told the time.
    package var clockOffset: Double?

    package init(
      bundle: String?, authorities: Int, visits: [WebVisit], clockOffset: Double? = nil
    ) {
      self.bundle = bundle
      self.authorities = authorities
      self.visits = visits
      self.clockOffset = clockOffset
    }
  }

  package static func finding(_ facts: Facts) -> Finding {
    let secure = facts.visits.filter(\.isHTTPS)
    let values = ["authorities": Double(facts.authorities)]
    guard let bundle = facts.bundle, facts.authorities > 0 else {
      return Finding(
        "tls", .fail, "no bundle of certificate authorities",
        remedy: "install it: apt-get install ca-certificates (or name one: download.ca_file)",
        values: values)
    }
    if let refused = secure.first(where: { $0.failure == .tls }) {
      let skew = facts.clockOffset.map { abs($0) > 3_600 } ?? false
      return Finding(
        "tls", .fail, "\(refused.url): \(refused.detail)",
        remedy: skew
          ? "the clock is wrong, so certificates seem expired or not yet valid: mend clock first"
          : "if a proxy here opens TLS, trust its authority: add its certificate to \(bundle)",
        values: values)
    }
    let known = "\(facts.authorities) authorities in \(bundle)"
    if secure.isEmpty {
      return Finding("tls", .ok, "\(known); no https page asked", values: values)
    }
    guard secure.contains(where: \.hasAnswer) else {
      return Finding(
        "tls", .warn, "\(known); untried, as no https page was reached",
        remedy: "mend egress first, then ask again", values: values)
    }
    return Finding(
      "tls", .ok, "\(known); \(secure.filter(\.hasAnswer).count) certificates verified",
      values: values)
  }

  /// Where systems keep their bundle; the first is Debian's, and what its libcurl reads.
  private static let places = [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
  ]

  /// The bundle and how many certificates it holds; one that cannot be read counts as none.
  static func bundle() -> (path: String, authorities: Int)? {
    for path in places where DurableFile.exists(path) {
      do throws(FileError) {
        let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
        let count = text.split(separator: "\n").count { $0.hasPrefix("-----BEGIN CERTIFICATE") }
        if count > 0 { return (path, count) }
      } catch {
        continue
      }
    }
    return nil
  }
}
