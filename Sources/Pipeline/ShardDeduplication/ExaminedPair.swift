import ContentHashing
import Deduplication
import PairDataset
import PerceptualHash
import PictureIndex
import PipelineCore

/// What is known of a pair of a shard once its picture was looked at.
struct ExaminedPair: Sendable, Equatable {
  /// Its number among all pairs of all shards, from 0.
  var row: Int
  /// The number of its shard among the shards that are read.
  var shard: Int
  var key: String
  var uid: String
  /// The JSON's `sha256` of what was once downloaded, else SHA-256 of the picture in the shard.
  var sha256: String
  /// Nil where the picture does not decode.
  var signature: PictureSignature?
  /// What is wrong with it, where it does not.
  var fault: Drop?
  /// What `keep: best` goes by.
  var quality: Double
  var caption: String
  var url: String

  static let columns = [
    TableColumn("row", .int, isOptional: false), TableColumn("shard", .int, isOptional: false),
    TableColumn("key", .text, isOptional: false), TableColumn("uid", .text, isOptional: false),
    TableColumn("sha256", .text, isOptional: false), TableColumn("signature", .text),
    TableColumn("drop", .text), TableColumn("detail", .text),
    TableColumn("quality", .double, isOptional: false),
    TableColumn("caption", .text, isOptional: false), TableColumn("url", .text, isOptional: false),
  ]

  var json: JSONValue {
    .object(
      [
        .init("row", .int(row)), .init("shard", .int(shard)), .init("key", .string(key)),
        .init("uid", .string(uid)), .init("sha256", .string(sha256)),
      ]
        + (signature.map { [.init("signature", .string($0.text))] } ?? [])
        + (fault?.members ?? [])
        + [
          .init("quality", .number("\(quality)")), .init("caption", .string(caption)),
          .init("url", .string(url)),
        ])
  }

  init?(_ json: JSONValue) {
    guard let row = json["row"]?.integer, let shard = json["shard"]?.integer,
      let key = json["key"]?.text, let uid = json["uid"]?.text,
      let sha256 = json["sha256"]?.text, let quality = json["quality"]?.double,
      let caption = json["caption"]?.text, let url = json["url"]?.text
    else { return nil }
    self.row = row
    self.shard = shard
    self.key = key
    self.uid = uid
    self.sha256 = sha256
    signature = json["signature"]?.text.flatMap { PictureSignature(text: $0) }
    fault = Drop(json)
    guard (signature == nil) != (fault == nil) else { return nil }
    self.quality = quality
    self.caption = caption
    self.url = url
  }

  /// A pair whose picture is yet to be looked at.
  ///
  /// - Parameters:
  ///   - pair: As it was read.
  ///   - row: Its number among all pairs.
  ///   - shard: The number of its shard.
  ///   - bestColumn: The JSON's number that is the quality; nil for the original's pixels, as the JSON
  ///     gives them.
  init(_ pair: Pair, row: Int, shard: Int, bestColumn: String?) {
    self.row = row
    self.shard = shard
    key = pair.key
    uid = PairIdentity.uid(of: pair)
    caption = pair.caption
    var metadata: JSONValue?
    // A foreign shard's JSON may be anything; what it does not say is measured.
    do throws(JSONError) { metadata = try JSONValue.parse(pair.metadata) } catch {}
    url = metadata?["url"]?.text ?? ""
    sha256 = Self.digest(metadata?["sha256"]?.text, of: pair.image)
    if let bestColumn {
      let value = metadata?[bestColumn]
      // As in a run: a pair without a number is the worst.
      quality = value?.double ?? value?.text.flatMap(Double.init) ?? Self.worst
    } else {
      let sides = ["original_width", "original_height"].map { metadata?[$0]?.double ?? 0 }
      quality = sides[0] * sides[1]
    }
    if !quality.isFinite { quality = Self.worst }
  }

  private static let worst = -Double.greatestFiniteMagnitude
}

extension ExaminedPair {
  private static func digest(_ told: String?, of image: [UInt8]) -> String {
    if let told, told.utf8.count == 64, told != DecodedRow.unknownSHA256,
      told.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    {
      return told
    }
    return ContentHash.sha256Hex(image)
  }

  /// As the judge takes it.
  var judged: JudgedPair {
    JudgedPair(
      row: row, uid: uid, sha256: sha256, signature: signature, caption: caption,
      url: url, quality: quality)
  }

  /// As an index holds it.
  var entry: PictureEntry { judged.entry }
}

extension ExaminedPair {
  /// A pair of a run, as its tables tell of it.
  init(
    _ decoded: DecodedRow, row: Int, key: String, uid: String, signature: PictureSignature,
    caption: String, url: String
  ) {
    self.row = row
    shard = 0
    self.key = key
    self.uid = uid
    sha256 = decoded.sha256
    self.signature = signature
    quality = Double(decoded.originalWidth ?? 0) * Double(decoded.originalHeight ?? 0)
    self.caption = caption
    self.url = url
  }
}
