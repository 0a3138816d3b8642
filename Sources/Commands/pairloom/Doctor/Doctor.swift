import DecodeStage
import DownloadStage
import Foundation
import HTTPFetch
import PipelineCore
import URLPipeline
import WorkerThreads

/// All checks of a machine against one recipe.
struct Doctor: Sendable {
  var recipe: PipelineRecipe
  /// The list, where one is named.
  var list: String?
  var folder: String
  var workers: Int
  /// What egress, TLS and clock ask for.
  var pages: [String]

  /// Pages that are made to be asked for (RFC 2606's example.com), and one more.
  static let usualPages = [
    "http://example.com/", "https://example.com/", "https://www.wikipedia.org/robots.txt",
  ]
  /// Seconds for each thing that a check waits for; a check waits for one after another of two.
  static let bound = 4.5

  /// Runs the checks at once.
  func examine() async -> Diagnosis {
    let hosts = hosts.filter { !Self.isAddress($0.name) }.map(\.name)
    async let names = DNSCheck.facts(hosts: Array(Set(hosts)).sorted(), bound: Self.bound)
    async let visits = WebVisit.all(pages, options: recipe.download.fetch, bound: 2 * Self.bound)
    async let times = times()
    async let disk = DiskCheck.finding(
      folder: folder, needs: RunEstimate(rows: list.flatMap(RunEstimate.rows), recipe: recipe),
      bound: 2 * Self.bound)
    let machine = MachineFacts.measure()
    let threads =
      workers
      * (recipe.decodeThreads > 0
        ? recipe.decodeThreads : max(1, Parallel.coreCount / workers))
    let environment = ProcessInfo.processInfo.environment
    let web = await visits
    let clock = await times
    let bundle = TLSCheck.bundle()
    return Diagnosis([
      DNSCheck.finding(await names),
      EgressCheck.finding(
        .init(
          visits: web,
          proxyVariables: EgressCheck.proxyNames.filter { environment[$0]?.isEmpty == false })),
      TLSCheck.finding(
        .init(
          bundle: bundle?.path, authorities: bundle?.authorities ?? 0, visits: web,
          clockOffset: ClockCheck.offset(clock))),
      UserAgentCheck.finding(userAgent: recipe.download.fetch.userAgent),
      ClockCheck.finding(clock),
      await disk,
      DescriptorCheck.finding(machine, concurrency: recipe.download.fetch.concurrency),
      MemoryCheck.finding(
        machine, concurrency: recipe.download.fetch.concurrency, decodeThreads: threads,
        maxPixels: recipe.decode.maxPixels),
      CoresCheck.finding(machine, decodeThreads: threads),
    ])
  }

  /// The time of every page's host that speaks plain http.
  private func times() async -> [ServerTime] {
    await withTaskGroup(of: ServerTime?.self) { group in
      for host in hosts where host.scheme == "http" {
        group.addTask {
          await within(2 * Self.bound) { ServerTime.ask(host: host.name, port: host.port) } ?? nil
        }
      }
      var found: [ServerTime] = []
      for await time in group { if let time { found.append(time) } }
      return found.sorted { $0.server < $1.server }
    }
  }

  private struct Host {
    var scheme: String
    var name: String
    var port: Int
  }

  private var hosts: [Host] {
    pages.compactMap { page in
      guard let url = URL(string: page), let name = url.host, let scheme = url.scheme else {
        return nil
      }
      return Host(scheme: scheme, name: name, port: url.port ?? (scheme == "http" ? 80 : 443))
    }
  }

  private static func isAddress(_ host: String) -> Bool {
    host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
  }
}
