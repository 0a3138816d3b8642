import DurableFiles
import FoundationEssentials

/// A length in pixels, or the two that transformers writes in its place.
struct PixelSize: Codable {
  /// The shorter side of a resize, or both sides of a crop; nil for a resize to both sides.
  var side: Int?

  init(side: Int, isBothSides: Bool = false) {
    self.side = side
    self.isBothSides = isBothSides
  }

  private enum Key: String, CodingKey {
    case shortest_edge
    case height
    case width
  }

  init(from decoder: any Decoder) throws {
    // A number, or else a mapping, whose own mistakes are told below.
    if let side = try? decoder.singleValueContainer().decode(Int.self) {
      self.side = side
      return
    }
    let container = try decoder.container(keyedBy: Key.self)
    side = try container.decodeIfPresent(Int.self, forKey: .shortest_edge)
    isBothSides = side == nil
    if side == nil {
      let height = try container.decode(Int.self, forKey: .height)
      if try container.decode(Int.self, forKey: .width) == height { side = height }
    }
  }

  /// Whether the file gave height and width.
  private(set) var isBothSides = false

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    guard isBothSides else {
      try container.encode(side, forKey: .shortest_edge)
      return
    }
    try container.encode(side, forKey: .height)
    try container.encode(side, forKey: .width)
  }
}

/// `preprocessor_config.json`: what happens to a picture.
struct HuggingFacePreprocessor: Codable {
  var size: PixelSize?
  var crop_size: PixelSize?
  var do_resize: Bool?
  var do_center_crop: Bool?
  var do_rescale: Bool?
  var do_normalize: Bool?
  var do_convert_rgb: Bool?
  var resample: Int?
  var rescale_factor: Double?
  var image_mean: [Float]?
  var image_std: [Float]?
  var image_processor_type: String?

  /// Reads the constants; what our preprocessing does not do is refused by its key.
  static func preprocessing(
    _ path: String, imageSize: Int
  ) throws -> CLIPBundle.Preprocessing {
    try preprocessing(json: try DurableFile.read(path), file: path, imageSize: imageSize)
  }

  static func preprocessing(
    json bytes: [UInt8], file path: String, imageSize: Int
  ) throws -> CLIPBundle.Preprocessing {
    struct Wrapped: Decodable { var image_processor: HuggingFacePreprocessor? }
    let found = try decoding(path) {
      try JSONDecoder().decode(Wrapped.self, from: Data(bytes)).image_processor
        ?? JSONDecoder().decode(HuggingFacePreprocessor.self, from: Data(bytes))
    }
    func refuse(_ problem: String) -> CLIPError { CLIPError(.configuration(problem), file: path) }
    for (key, value) in [
      ("do_resize", found.do_resize), ("do_center_crop", found.do_center_crop),
      ("do_rescale", found.do_rescale), ("do_normalize", found.do_normalize),
    ] where value == false {
      throw refuse("\(key) is false; a picture is resized, cropped and normalised here")
    }
    if let size = found.size, size.isBothSides || size.side != imageSize {
      throw refuse("size is not the model's: the shorter side to \(imageSize)")
    }
    if let crop = found.crop_size, crop.side != imageSize {
      throw refuse("crop_size is not the model's \(imageSize)")
    }
    // Pillow's numbers.
    let filters: [Int: CLIPBundle.Preprocessing.Interpolation] = [2: .bilinear, 3: .bicubic]
    guard let interpolation = filters[found.resample ?? 3] else {
      throw refuse("resample is \(found.resample ?? 3); 2 (bilinear) and 3 (bicubic) are there")
    }
    if let factor = found.rescale_factor, abs(factor * 255 - 1) > 1e-6 {
      throw refuse("rescale_factor is \(factor), not 1/255")
    }
    let standard = CLIPBundle.Preprocessing()
    let (mean, std) = (found.image_mean ?? standard.mean, found.image_std ?? standard.std)
    guard mean.count == 3, std.count == 3, std.allSatisfy({ $0 > 0 }) else {
      throw refuse("image_mean and image_std: three numbers are wanted, those of std above 0")
    }
    return CLIPBundle.Preprocessing(mean: mean, std: std, interpolation: interpolation)
  }

  init(_ preprocessing: CLIPBundle.Preprocessing, imageSize: Int) {
    size = PixelSize(side: imageSize)
    crop_size = PixelSize(side: imageSize, isBothSides: true)
    (do_resize, do_center_crop, do_rescale, do_normalize) = (true, true, true, true)
    do_convert_rgb = true
    resample = preprocessing.interpolation == .bilinear ? 2 : 3
    rescale_factor = 1.0 / 255
    image_mean = preprocessing.mean
    image_std = preprocessing.std
    image_processor_type = "CLIPImageProcessor"
  }
}

extension CLIPBundle.Preprocessing {
  /// What a `preprocessor_config.json` says, for towers of `imageSize`; `file` stands in messages.
  package static func huggingFace(
    json: [UInt8], file: String, imageSize: Int
  ) throws -> CLIPBundle.Preprocessing {
    try HuggingFacePreprocessor.preprocessing(json: json, file: file, imageSize: imageSize)
  }
}
