import CrawlPolicy
import DurableFiles

extension FileDownload {
  /// One try: from where the part ends to the end of the file.
  ///
  /// - Returns: The bytes that were there before and are still good.
  func fetch(
    _ start: FetchURL, into part: PartFile, _ onProgress: @escaping (Int, Int?) -> Void
  ) throws -> Int {
    var validator = try part.note(of: url)
    if validator == nil && part.size > 0 { try part.clear() }
    // All of it may have come, and only its end was not heard: the digest will tell.
    if let size, part.size == size, size > 0, sha256 != nil || gitBlob != nil { return size }
    var target = start
    for _ in 0...Self.mostRedirects {
      var headers: [String] = []
      // Whoever the server sends us to is another: the token is not for them.
      if let token, target.host == start.host { headers.append("Authorization: Bearer \(token)") }
      if let validator, part.size > 0 {
        headers += ["Range: bytes=\(part.size)-", "If-Range: \(validator)"]
      }
      let answer = try exchange(target, headers, part, onProgress)
      switch answer.head.status {
      case 200, 206:
        if let words = answer.problem { throw FileDownloadError(.connection(words), url: url) }
        return answer.resumedFrom
      case 301, 302, 303, 307, 308:
        guard let location = answer.head.headers["location"],
          let next = FetchURL(location, relativeTo: target)
        else { throw FileDownloadError(.status(answer.head.status), url: url) }
        guard next.isSecure || !target.isSecure else {
          throw FileDownloadError(.insecureRedirect(next.origin), url: url)
        }
        target = next
      case 416 where part.size > 0:
        // The file is shorter than what has come: it is another one.
        try part.clear()
        validator = nil
      default:
        throw FileDownloadError(.status(answer.head.status), url: url)
      }
    }
    throw FileDownloadError(.tooManyRedirects, url: url)
  }

  private struct Answer {
    var head: CurlExchange.Head
    var problem: String?
    var resumedFrom = 0
  }

  /// Asks once, and appends what is of the file.
  private func exchange(
    _ target: FetchURL, _ headers: [String], _ part: PartFile,
    _ onProgress: @escaping (Int, Int?) -> Void
  ) throws -> Answer {
    var failure: (any Error)?
    var (total, resumedFrom): (Int?, Int) = (nil, 0)
    var (isFile, ignored) = (false, 0)
    let (head, problem) = try CurlExchange(
      target, headers: headers, userAgent: userAgent, silence: silence
    ).perform { head in
      guard head.status == 200 || head.status == 206 else { return true }
      isFile = true
      do {
        total = try begin(head, part)
        resumedFrom = part.size
        return true
      } catch {
        failure = error
        return false
      }
    } onBody: { bytes in
      // What a redirect or an error says besides is not of interest, unless it never ends.
      guard isFile else {
        ignored += bytes.count
        return ignored <= 1 << 20
      }
      do {
        try part.append(bytes)
        try requireRoom(part.size, free: nil)
        onProgress(part.size, total)
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure {
      if (failure as? FileDownloadError)?.isPassing == false { try part.discard() }
      throw failure
    }
    if head.status == 0 {
      throw FileDownloadError(.connection(problem ?? "no answer"), url: url)
    }
    if isFile, problem == nil, let total, part.size != total {
      throw FileDownloadError(.connection("\(part.size) of \(total) bytes came"), url: url)
    }
    return Answer(head: head, problem: problem, resumedFrom: resumedFrom)
  }

  /// Readies the part for the body that follows.
  ///
  /// - Returns: The size of the whole file, where the server tells.
  private func begin(_ head: CurlExchange.Head, _ part: PartFile) throws -> Int? {
    let length = head.headers["content-length"].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
    if head.status == 206 {
      guard
        let range = head.headers["content-range"]?
          .firstMatch(of: /^bytes ([0-9]{1,18})-[0-9]{1,18}\/([0-9]{1,18}|\*)/),
        Int(range.1) == part.size
      else {
        try part.clear()
        throw FileDownloadError(.connection("the server gives another part than asked"), url: url)
      }
      if let total = Int(range.2) { return total }
      guard let length else { return nil }
      let (total, isTooLarge) = part.size.addingReportingOverflow(length)
      return isTooLarge ? nil : total
    }
    try part.clear()
    if let length { try requireRoom(length, free: part.freeBytes) }
    if let validator = Self.validator(head.headers) { try part.write(note: validator, of: url) }
    return length
  }

  /// What tells whether the server still has the same file: a strong ETag, else the time of its last change.
  static func validator(_ headers: [String: String]) -> String? {
    if let tag = headers["etag"], !tag.hasPrefix("W/"), tag.hasPrefix("\"") { return tag }
    return headers["last-modified"]
  }
}
