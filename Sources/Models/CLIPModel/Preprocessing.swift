extension CLIPBundle {
  /// How a picture becomes the tower's input, as open_clip's `preprocess_cfg` says: brought to the
  /// tower's square, then (value/255 − mean)/std for each of red, green and blue.
  public struct Preprocessing: Sendable, Equatable {
    /// How pixels are made by Pillow's resizing.
    public enum Interpolation: String, Sendable, CaseIterable { case bicubic, bilinear }

    /// How a picture of another shape becomes a square.
    public enum ResizeMode: String, Sendable, CaseIterable {
      /// The short side fits, the centre of the long one is kept.
      case shortest
      /// The long side fits, the short one gets borders.
      case longest
      /// Both sides fit, whatever the picture's shape.
      case squash
    }

    public var mean: [Float]
    public var std: [Float]
    public var interpolation: Interpolation
    public var resizeMode: ResizeMode
    /// The grey of the borders.
    public var fillColor: UInt8

    /// OpenAI's constants and way unless others are given.
    public init(
      mean: [Float] = [0.48145466, 0.4578275, 0.40821073],
      std: [Float] = [0.26862954, 0.26130258, 0.27577711],
      interpolation: Interpolation = .bicubic, resizeMode: ResizeMode = .shortest,
      fillColor: UInt8 = 0
    ) {
      self.mean = mean
      self.std = std
      self.interpolation = interpolation
      self.resizeMode = resizeMode
      self.fillColor = fillColor
    }
  }
}

extension CLIPBundle.Preprocessing {
  /// `preprocess_cfg` as it stands in open_clip's JSON.
  struct Description: Codable {
    var mean: [Float]?
    var std: [Float]?
    var interpolation: String?
    var resize_mode: String?
    var fill_color: Int?

    init(_ preprocessing: CLIPBundle.Preprocessing) {
      mean = preprocessing.mean
      std = preprocessing.std
      interpolation = preprocessing.interpolation.rawValue
      resize_mode = preprocessing.resizeMode.rawValue
      fill_color = Int(preprocessing.fillColor)
    }

    /// What the JSON says, with open_clip's standards for what it leaves out.
    func preprocessing(file: String) throws(CLIPError) -> CLIPBundle.Preprocessing {
      func refuse(_ problem: String) -> CLIPError {
        CLIPError(.configuration("preprocess_cfg.\(problem)"), file: file)
      }
      var result = CLIPBundle.Preprocessing()
      if let mean { result.mean = mean }
      if let std { result.std = std }
      guard result.mean.count == 3 else { throw refuse("mean: three numbers are wanted") }
      guard result.std.count == 3, result.std.allSatisfy({ $0 > 0 }) else {
        throw refuse("std: three numbers above 0 are wanted")
      }
      // open_clip's "random" is for training; it evaluates with bicubic then.
      if let interpolation, interpolation != "random" {
        guard let known = CLIPBundle.Preprocessing.Interpolation(rawValue: interpolation) else {
          throw refuse("interpolation: \(interpolation) is not there, only bicubic and bilinear")
        }
        result.interpolation = known
      }
      if let resize_mode {
        guard let known = CLIPBundle.Preprocessing.ResizeMode(rawValue: resize_mode) else {
          throw refuse(
            "resize_mode: \(resize_mode) is not there, only shortest, longest and squash")
        }
        result.resizeMode = known
      }
      if let fill_color {
        guard let grey = UInt8(exactly: fill_color) else {
          throw refuse("fill_color: \(fill_color) is no number from 0 to 255")
        }
        result.fillColor = grey
      }
      return result
    }
  }
}
