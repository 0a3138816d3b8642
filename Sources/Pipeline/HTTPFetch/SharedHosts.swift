/// What all processes of a run know of its hosts: how many transfers are open, and who is dead.
///
/// 5 MiB in one file, or as much address space of this process alone.
package struct SharedHosts: Sendable {
  package let places: HostPlaces
  let breakers: BreakerTable

  /// Where no other process has the file in use, what an earlier run found dead is tried again: the
  /// circuits that it left open are half open, and one probe of each host decides.
  ///
  /// - Parameters:
  ///   - path: The file, on a local disk; nil for a memory of this process's own.
  ///   - now: Monotonic seconds; nil asks the clock.
  /// - Throws: `FetcherError` when the file cannot be had, holds something else, or is in use by as
  ///   many processes as it has room for.
  package init(path: String?, now: Double? = nil) throws(FetcherError) {
    let byteCount = BreakerTable.byteCount + HostPlaces.byteCount
    let mapping = try SharedMapping(path: path, byteCount: byteCount, kind: "table of hosts")
    breakers = BreakerTable(mapping)
    // Looked at before this process has a row. Two that start at once may both see nobody, and then
    // both do the same.
    let now = now ?? Clock.monotonic()
    if try HostPlaces.isUnused(mapping) { breakers.halfOpen(now: now) }
    places = try HostPlaces(mapping, offset: BreakerTable.byteCount, now: now)
  }
}
