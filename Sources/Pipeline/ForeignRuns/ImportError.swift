/// Why a folder cannot be imported, and what to do next.
public enum ImportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no shard of img2dataset in the folder.
  case noShards(folder: String)
  /// The folder is a run of ours.
  case isRun(folder: String)
  /// The folder is one of another `output_format`.
  case otherFormat(folder: String, format: String, file: String)
  /// Two files claim one shard's number.
  case twice(folder: String, one: String, other: String)
  /// More numbers are missing than are worth an empty chunk each.
  case tooManyGaps(folder: String, last: Int, shards: Int)
  /// The new folder holds a run.
  case holdsRun(folder: String)
  /// The new folder holds files that no import has made.
  case notEmpty(folder: String, file: String)
  /// An import from another folder was begun there.
  case otherImport(folder: String, from: String)
  /// An option that does not go with the shards.
  case badSetting(key: String, value: String, why: String)
  /// A shard has more rows than one may have.
  case tooManyRows(shard: String, rows: Int, limit: Int)

  public var description: String {
    switch self {
    case .noShards(let folder):
      "\(folder): there are no shards of img2dataset here (00000.tar, 00000.parquet,"
        + " 00000_stats.json). Name its output_folder."
    case .isRun(let folder):
      "\(folder): this is a Pairloom run already; its failures are retried by `pairloom retry"
        + " \(folder)`."
    case .otherFormat(let folder, let format, let file):
      "\(folder): \(file) is of output_format \(format); only webdataset is imported. "
        + Self.advice(format, file)
    case .twice(let folder, let one, let other):
      "\(folder): \(one) and \(other) have the number of one shard. Move one of them away."
    case .tooManyGaps(let folder, let last, let shards):
      "\(folder): the shards are numbered up to \(last), and only \(shards) are there. Give a folder"
        + " of links to them whose numbers begin at 0."
    case .holdsRun(let folder):
      "\(folder): there is a run here already. Import into a new folder."
    case .notEmpty(let folder, let file):
      "\(folder): it is not empty (\(file)). Import into a new folder."
    case .otherImport(let folder, let from):
      "\(folder): an import of \(from) was begun here and not ended. Say that folder again to end it,"
        + " or import into a new one."
    case .badSetting(let key, let value, let why): "\(key)=\(value): \(why)."
    case .tooManyRows(let shard, let rows, let limit):
      "\(shard): it has \(rows) rows, and a shard of this folder at most \(limit). Say how many with"
        + " --set number_sample_per_shard=N, up to 1000000."
    }
  }

  private static func advice(_ format: String, _ file: String) -> String {
    switch format {
    case "files":
      "Pack each folder, then import: (cd \(file) && tar --sort=name -cf ../\(file).tar *)."
    case "compressed tar": "Unpack it to a plain tar first: lz4 -d, gzip -d or zstd -d."
    case "dummy": "It holds no pictures: run the list with `pairloom run`."
    default: "Run the list with `pairloom run`, or with img2dataset --output_format webdataset."
    }
  }
}
