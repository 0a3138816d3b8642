import CCurl

extension FetchFailure {
  /// The class of an exchange that libcurl gave up.
  ///
  /// - Parameters:
  ///   - code: A CURLcode other than CURLE_OK.
  ///   - words: The error buffer.
  init(_ code: CURLcode, words: String) {
    switch code {
    case CURLE_URL_MALFORMAT:  // passed our check, so a name that IDNA refuses
      self = .badURL
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      self = .dns
    case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_NO_CONNECTION_AVAILABLE,
      CURLE_QUIC_CONNECT_ERROR, CURLE_PROXY, CURLE_FAILED_INIT, CURLE_OUT_OF_MEMORY:
      // The last two are this machine's failure to make a connection: transient, like the others.
      self = .connect
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CIPHER,
      CURLE_SSL_CERTPROBLEM, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
      CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_CLIENTCERT, CURLE_SSL_SHUTDOWN_FAILED, CURLE_USE_SSL_FAILED:
      self = .tls
    case CURLE_OPERATION_TIMEDOUT:  // connect deadline, total deadline, low speed
      self = .timeout
    case CURLE_FILESIZE_EXCEEDED:
      self = .tooLarge
    case CURLE_TOO_MANY_REDIRECTS:
      self = .redirect
    case CURLE_RECV_ERROR:
      // 7.88 reports a malformed chunk, and a proxy that makes no tunnel, by the code of a reset;
      // only its words tell them apart.
      if words.contains("chunked-encoding") {
        self = .protocolError
      } else {
        self = words.contains("CONNECT") ? .connect : .incomplete
      }
    case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_HTTP2_STREAM:
      self = .incomplete
    case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR, CURLE_HTTP2,
      CURLE_HTTP3, CURLE_UNSUPPORTED_PROTOCOL:
      // WRITE_ERROR: a decoder gave up, as our own refusals are told apart before. UNSUPPORTED_
      // PROTOCOL: an answer without a status line, which 7.88 takes for HTTP/0.9.
      self = .protocolError
    default:
      self = .protocolError
    }
  }
}
