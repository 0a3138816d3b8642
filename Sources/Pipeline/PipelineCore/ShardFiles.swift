import DurableFiles
import PairDataset

/// Where the shard of a chunk lies, whatever its compression.
public enum ShardFiles {
  /// The shard's path; nil for a chunk that kept nothing.
  public static func shard(_ chunk: Int, in folder: String) -> String? {
    ShardCompression.allCases.map {
      "\(folder)/\(RunFolder.digits(chunk)).\($0.fileExtension)"
    }.first { DurableFile.exists($0) }
  }
}
