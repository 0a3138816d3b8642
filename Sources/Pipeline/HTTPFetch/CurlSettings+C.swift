import CCurl
import CrawlPolicy
import Glibc

/// What all of a loop's easy handles have in common, and share.
///
/// TLS sessions are shared by a CURLSH (of which libcurl 7.88 keeps eight), so that a new connection
/// to a known host resumes; connections and names are shared by the multi handle anyway. Lives on
/// the loop thread; every `CurlEasy` holds it, so that it outlives their handles.
@safe final class CurlSettings {
  let options: FetchOptions
  let addressGuard: AddressGuard
  let proxy: ProxyServer?
  let source: SourceAddress?
  let share: UnsafeMutableRawPointer
  /// CURLOPT_HTTPHEADER's list; libcurl does not copy it.
  let headers: UnsafeMutablePointer<curl_slist>?

  init(
    options: FetchOptions, addressGuard: AddressGuard, proxy: ProxyServer?, source: SourceAddress?
  ) throws(FetcherError) {
    guard let share = unsafe curl_share_init() else {
      throw FetcherError(operation: "curl_share_init", detail: "out of memory")
    }
    // Without lock functions: all handles are used on one thread.
    _ = unsafe pairloom_share_data(share, CURL_LOCK_DATA_SSL_SESSION)
    var list: UnsafeMutablePointer<curl_slist>?
    for line in options.headers {
      guard let longer = unsafe curl_slist_append(list, line) else { continue }
      unsafe list = longer
    }
    self.options = options
    self.addressGuard = addressGuard
    self.proxy = proxy
    self.source = source
    unsafe self.share = share
    unsafe headers = list
  }

  deinit {
    unsafe curl_share_cleanup(share)
    unsafe curl_slist_free_all(headers)
  }

  /// The name to look up for a target: its own or the proxy's; nil where that is an address.
  func nameToLookUp(for target: FetchURL) -> String? {
    if let proxy { return proxy.address == nil ? proxy.name : nil }
    return target.address == nil ? target.name : nil
  }

  /// What can be connected to for a target, out of what the resolver says; empty for an address.
  func addresses(
    _ answer: HostAnswer, for target: FetchURL
  ) throws(Refusal) -> [IPAddress] {
    if let proxy {
      try proxy.admit(target, addressGuard)
      switch answer {
      case .addresses(let all): return all
      case .noSuchHost: throw Refusal(failure: .connect, detail: "no proxy \(proxy.name)")
      case .failed(let words): throw Refusal(failure: .connect, detail: "proxy: \(words)")
      }
    }
    switch answer {
    case .addresses(let all):
      let allowed = all.filter(addressGuard.allows)
      if allowed.isEmpty, let first = all.first {
        throw Refusal(failure: .addressRefused, detail: "\(first)")
      }
      return allowed
    case .noSuchHost: throw Refusal(failure: .noSuchHost, detail: target.name)
    case .failed(let words): throw Refusal(failure: .dns, detail: words)
    }
  }

  /// Whether libcurl comes with a file of certification authorities.
  ///
  /// If so its folder of them, which Debian sets too, is left out: with a folder libcurl reads the
  /// authorities anew for each connection instead of once a day (`Curl_ssl_setup_x509_store`).
  static let hasAuthoritiesFile: Bool = {
    // Safe: libcurl's own constant structure; `cainfo` is there since 7.70.
    guard let info = unsafe curl_version_info(CURLVERSION_SEVENTH),
      let path = unsafe info.pointee.cainfo
    else { return false }
    return unsafe access(path, R_OK) == 0
  }()
}
