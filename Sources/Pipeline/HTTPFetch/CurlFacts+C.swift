import CCurl

/// What libcurl knows of an exchange that has ended, well or not.
struct ExchangeFacts {
  var address: String?
  var httpVersion: String?
  /// Bytes of the body on the wire, before content decoding.
  var receivedBytes = 0
  var times: FetchTimes?
}

extension CurlEasy {
  /// Asks libcurl; valid from the end of an exchange to the next.
  var facts: ExchangeFacts {
    var facts = ExchangeFacts()
    var address: UnsafeMutablePointer<CChar>?
    // Safe: the string is the handle's own and is copied at once.
    if unsafe pairloom_easy_get_string(handle, CURLINFO_PRIMARY_IP, &address) == CURLE_OK,
      let address = unsafe address, unsafe address.pointee != 0
    {
      facts.address = unsafe String(cString: address)
    }
    facts.receivedBytes = offset(CURLINFO_SIZE_DOWNLOAD_T)
    var version = 0
    _ = unsafe pairloom_easy_get_long(handle, CURLINFO_HTTP_VERSION, &version)
    switch version {
    case Int(CURL_HTTP_VERSION_1_0): facts.httpVersion = "http/1.0"
    case Int(CURL_HTTP_VERSION_1_1): facts.httpVersion = "http/1.1"
    case Int(CURL_HTTP_VERSION_2_0): facts.httpVersion = "h2"
    default: break
    }
    facts.times = FetchTimes(
      lookup: seconds(CURLINFO_NAMELOOKUP_TIME_T), connect: seconds(CURLINFO_CONNECT_TIME_T),
      tls: seconds(CURLINFO_APPCONNECT_TIME_T), firstByte: seconds(CURLINFO_STARTTRANSFER_TIME_T))
    return facts
  }

  func seconds(_ info: CURLINFO) -> Double { Double(offset(info)) * 1e-6 }

  private func offset(_ info: CURLINFO) -> Int {
    var value: curl_off_t = 0
    let code = unsafe pairloom_easy_get_offset(handle, info, &value)
    precondition(code == CURLE_OK, "curl_easy_getinfo \(info): code \(code.rawValue)")
    return Int(value)
  }
}
