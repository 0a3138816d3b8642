public import HTTPFetch
public import PipelineCore

extension DropReason {
  /// The word for a failed fetch, which is the fetcher's own.
  public init(_ failure: FetchFailure) {
    self =
      switch failure {
      case .badURL: .badURL
      case .addressRefused: .addressRefused
      case .dns: .dns
      case .noSuchHost: .noSuchHost
      case .connect: .connect
      case .tls: .tls
      case .timeout: .timeout
      case .tooLarge: .tooLarge
      case .redirect: .redirect
      case .protocolError: .protocolError
      case .incomplete: .incomplete
      case .httpStatus: .httpStatus
      case .notAnImage: .notAnImage
      case .unsupportedFormat: .unsupportedFormat
      case .robots: .robots
      case .robotsTxt: .robotsTxt
      case .tdmReserved: .tdmReserved
      case .contentUsage: .contentUsage
      case .hostDenied: .hostDenied
      }
  }
}
