import HTTPFetch

/// Whether as many files may be open as the recipe's transfers need.
package enum DescriptorCheck {
  package static func finding(_ facts: MachineFacts, concurrency: Int) -> Finding {
    // What Fetcher raises the soft limit to: connections open and idle, and the resolver's.
    let needed = 3 * concurrency + 128
    let values = ["limit": Double(facts.openFilesLimit), "needed": Double(needed)]
    let measured = "\(needed) needed for \(concurrency) transfers, \(facts.openFilesLimit) allowed"
    guard facts.openFilesLimit >= needed else {
      return Finding(
        "open files", .fail, measured,
        remedy: "raise the hard limit (ulimit -Hn \(needed)), or lower --set download.concurrency="
          + "\(max(1, (facts.openFilesLimit - 128) / 3))", values: values)
    }
    return Finding("open files", .ok, measured, values: values)
  }
}

/// Whether the pictures that are worked on at a time fit into memory.
package enum MemoryCheck {
  /// Bodies that are on their way: 150 KB is a picture of the web, doubled for its buffers.
  private static let transfer = 300_000.0
  /// The program, its tables and a picture of the usual size per thread.
  private static let base = 200e6
  private static let thread = 50e6

  package static func finding(
    _ facts: MachineFacts, concurrency: Int, decodeThreads: Int, maxPixels: Int
  ) -> Finding {
    let usual =
      base + transfer * Double(concurrency) + thread * Double(decodeThreads)
    // The largest picture as RGB and once more while it is resized.
    let worst = usual + 6 * Double(maxPixels) * Double(decodeThreads)
    let available = facts.availableMemory
    let measured =
      "\(available.isFinite ? Amount.bytes(available) : "an unknown amount") available; usually"
      + " \(Amount.bytes(usual)), \(Amount.bytes(worst)) if every thread met the largest picture"
    var values = ["usual_bytes": usual, "worst_bytes": worst]
    if available.isFinite { values["available_bytes"] = available }
    if available < usual {
      return Finding(
        "memory", .fail, measured,
        remedy: "lower --set download.concurrency and decode_threads, or end other programs",
        values: values)
    }
    if available < worst {
      return Finding(
        "memory", .warn, measured,
        remedy: "lower --set max_pixels, or decode_threads, if the list has giant pictures",
        values: values)
    }
    return Finding("memory", .ok, measured, values: values)
  }
}

/// Whether as many threads would run as there are cores to run them.
package enum CoresCheck {
  package static func finding(_ facts: MachineFacts, decodeThreads: Int) -> Finding {
    let values = [
      "cores": Double(facts.cores), "quota": facts.coreQuota ?? Double(facts.cores),
      "decode_threads": Double(decodeThreads),
    ]
    let cores = facts.cores == 1 ? "1 core" : "\(facts.cores) cores"
    if let quota = facts.coreQuota, Double(decodeThreads) > quota.rounded(.up) {
      return Finding(
        "cores", .warn, "\(cores), of which this container may use \((quota * 10).rounded() / 10)",
        remedy: "--set decode_threads=\(max(1, Int(quota.rounded(.up)))), or its threads wait for"
          + " each other", values: values)
    }
    return Finding(
      "cores", .ok, "\(cores), \(decodeThreads) decoding threads", values: values)
  }
}
