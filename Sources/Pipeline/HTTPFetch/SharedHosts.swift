/// What all processes of a run know of its hosts: how many transfers are open, and who is dead.
///
/// 5 MiB in one file, or as much address space of this process alone.
package struct SharedHosts: Sendable {
  package let places: HostPlaces
  let breakers: BreakerTable

  /// - Parameter path: The file, on a local disk; nil for a memory of this process's own.
  /// - Throws: `FetcherError` when the file cannot be had, holds something else, or is in use by as
  ///   many processes as it has room for.
  package init(path: String?) throws(FetcherError) {
    let byteCount = BreakerTable.byteCount + HostPlaces.byteCount
    let mapping = try SharedMapping(path: path, byteCount: byteCount, kind: "table of hosts")
    breakers = BreakerTable(mapping)
    places = try HostPlaces(mapping, offset: BreakerTable.byteCount)
  }
}
