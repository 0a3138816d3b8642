import CrawlPolicy

/// The proxy that all exchanges go through.
///
/// Its address is the operator's word, so the address guard lets it be. Of a target the guard sees
/// only what its URL says: an address, or a name that always means this machine. All other names
/// are looked up by the proxy, which therefore has to keep them from private networks itself.
struct ProxyServer: Sendable {
  /// As libcurl takes it.
  let text: String
  let name: String
  let port: Int
  /// The host, where it is an address.
  let address: IPAddress?

  /// - Parameter text: `http://host:port`, `https://host:port` or `socks5h://host:port`, each with
  ///   `user:password@` before the host where the proxy wants it.
  /// - Throws: `FetchOptionsError` for all else.
  init(_ text: String) throws(FetchOptionsError) {
    let wrong = FetchOptionsError(
      option: "proxy",
      rule: "http://host:port, https://host:port or socks5h://host:port; socks4 and socks5 would "
        + "look names up here")
    // libcurl's URL parser knows no socks5h; all three have the same form.
    let parts = text.split(separator: "://", maxSplits: 1)
    guard parts.count == 2, ["http", "https", "socks5h"].contains(parts[0].lowercased()),
      let url = FetchURL("http://\(parts[1])"),
      parts[1].wholeMatch(of: /.*:[0-9]+\/?/) != nil
    else { throw wrong }
    self.text = text
    name = url.name
    port = url.port
    address = url.address
  }

  /// Throws for a target whose URL alone says that the guard refuses it.
  func admit(_ target: FetchURL, _ addressGuard: AddressGuard) throws(Refusal) {
    var meant = [target.address].compactMap { $0 }
    switch SpecialName.answer(target.name) {
    case .addresses(let addresses): meant = addresses
    case .some: throw Refusal(failure: .noSuchHost, detail: target.name)
    case nil: break
    }
    guard let first = meant.first, !meant.contains(where: addressGuard.allows) else { return }
    throw Refusal(failure: .addressRefused, detail: "\(first)")
  }
}
