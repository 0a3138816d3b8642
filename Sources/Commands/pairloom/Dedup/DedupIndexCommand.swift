import ArgumentParser
import DurableFiles
import PictureIndex
import PipelineCore
import ShardDeduplication
import WorkerThreads

/// `pairloom dedup index`: indexes of pictures by hand.
struct DedupIndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index",
    abstract: "Make, merge and look after indexes of pictures, for --against and evaluation sets.",
    discussion: """
      An index is one file: of each picture the pair's uid, the beginning of the SHA-256 of its bytes, and \
      what it looks like. `dedup --out DIR` leaves one in DIR/pictures.index, a run in its folder.

        pairloom dedup index make IMAGENET/val --out imagenet-val.index
        pairloom dedup index merge A/pictures.index B/pictures.index --out all.index
      """,
    subcommands: [Make.self, Merge.self, Info.self, Verify.self, Compact.self])

  /// Why a command on an index ends.
  struct Failure: UsageError, CustomStringConvertible {
    var description: String
  }

  static func requireNew(_ path: String) throws {
    guard !DurableFile.exists(path) else {
      throw Failure(description: "\(path): there is something already. Name a file that is new.")
    }
  }

  static func requireThere(_ path: String) throws {
    guard DurableFile.exists(path) else {
      throw Failure(
        description: "\(path): there is no such file. `pairloom dedup index make` makes an index.")
    }
  }

  struct Make: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "make",
      abstract: "Make an index of shards, of folders of pictures, or of what a run has kept.",
      discussion: """
        Pictures that do not decode are found by their bytes alone. A picture of a folder is named by the \
        SHA-256 of its file.
        """)

    @Argument(help: "Shards, folders of shards, patterns, folders of pictures, folders of runs.")
    var sources: [String]
    @Option(help: "The index to write, a new file.")
    var out: String
    @Option(help: "Cores to use. (default: all)")
    var threads: Int?

    func validate() throws {
      try CoreCount.require(threads)
    }

    func run() throws {
      Interruption.shared.watchToLeave()
      let progress = WorkProgress()
      let made = try IndexMaker.make(
        from: sources, to: out, threads: threads ?? Parallel.coreCount,
        worker: DecodeWorkerCommand.worker
      ) { count in progress.show { "index: \(count) pictures" } }
      Terminal.note(
        "\(made.pictures) pictures"
          + (made.undecoded == 0
            ? "" : ", \(made.undecoded) of them found by their bytes alone: they do not decode"))
      Terminal.print(out)
    }
  }

  struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "merge",
      abstract: "Make one index of several; of equal pictures the first stays.")

    @Argument(help: "Indexes, in this order.")
    var indexes: [String]
    @Option(help: "The index to write, a new file.")
    var out: String

    func run() throws {
      Interruption.shared.watchToLeave()
      try requireNew(out)
      for path in indexes { try requireThere(path) }
      try PictureIndex.merge(indexes, into: out)
      Terminal.note("\(try PictureIndex(out, isWritable: false).count) pictures")
      Terminal.print(out)
    }
  }

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "info", abstract: "Say what an index holds.")

    @Argument(help: "Indexes.")
    var indexes: [String]
    @Flag(help: "A JSON object a line.")
    var json = false

    func run() throws {
      for path in indexes {
        try requireThere(path)
        let index = try PictureIndex(path, isWritable: false)
        let size = try DurableFile.size(of: path)
        let batches = index.lastBatch.map { $0 + 1 } ?? 0
        if json {
          Terminal.print(
            JSONValue.object([
              .init("index", .string(path)), .init("pictures", .int(index.count)),
              .init("batches", .int(batches)), .init("bytes", .int(size)),
              .init("content", .string(index.contentHash)),
            ]).serialized)
        } else {
          Terminal.print("\(path): \(index.count) pictures in \(batches) batches")
          Terminal.print("  size: \(ByteCount.words(size))")
          Terminal.print("  content: \(index.contentHash)")
        }
      }
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract: "Read every byte of an index and check it; exit code 1 where one is damaged.")

    @Argument(help: "Indexes.")
    var indexes: [String]

    func run() throws {
      var damaged = 0
      for path in indexes {
        try requireThere(path)
        do {
          let index = try PictureIndex(path, isWritable: false)
          try index.verify()
          Terminal.print("\(path): \(index.count) pictures, all is well")
        } catch {
          damaged += 1
          Terminal.print("\(error)")
        }
      }
      guard damaged == 0 else {
        throw CommandFailure(
          description: "\(damaged) of \(indexes.count) indexes damaged. Make them again with"
            + " `pairloom dedup index make`; a run makes its own again from its tables.", code: 1)
      }
    }
  }

  struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "compact",
      abstract: "Write an index anew, as one piece and without what is no longer in use.")

    @Argument(help: "Indexes.")
    var indexes: [String]

    func run() throws {
      Interruption.shared.watchToLeave()
      for path in indexes {
        try requireThere(path)
        let before = try DurableFile.size(of: path)
        try PictureIndex(path, isWritable: true).compact()
        let after = try DurableFile.size(of: path)
        Terminal.print("\(path): \(ByteCount.words(before)) before, \(ByteCount.words(after)) now")
      }
    }
  }
}
