/// What EXIF's numbers stand for, in exifread's words.
///
/// CIPA DC-008 §4.6 lists the meanings.
enum EXIFMeanings {
  static let tables: [UInt16: [Int: String]] = [
    0x00FE: [  // SubfileType
      0: "Full-resolution Image", 1: "Reduced-resolution image",
      2: "Single page of multi-page image", 3: "Single page of multi-page reduced-resolution image",
      4: "Transparency mask", 5: "Transparency mask of reduced-resolution image",
      6: "Transparency mask of multi-page image",
      7: "Transparency mask of reduced-resolution multi-page image",
      65537: "Alternate reduced-resolution image", 4294967295: "invalid ",
    ],
    0x00FF: [  // OldSubfileType
      1: "Full-resolution image", 2: "Reduced-resolution image",
      3: "Single page of multi-page image",
    ],
    0x0103: [  // Compression
      1: "Uncompressed", 2: "CCITT 1D", 3: "T4/Group 3 Fax", 4: "T6/Group 4 Fax", 5: "LZW",
      6: "JPEG (old-style)", 7: "JPEG", 8: "Adobe Deflate", 9: "JBIG B&W", 10: "JBIG Color",
      32766: "Next", 32769: "Epson ERF Compressed", 32771: "CCIRLEW", 32773: "PackBits",
      32809: "Thunderscan", 32895: "IT8CTPAD", 32896: "IT8LW", 32897: "IT8MP", 32898: "IT8BL",
      32908: "PixarFilm", 32909: "PixarLog", 32946: "Deflate", 32947: "DCS", 34661: "JBIG",
      34676: "SGILog", 34677: "SGILog24", 34712: "JPEG 2000", 34713: "Nikon NEF Compressed",
      65000: "Kodak DCR Compressed", 65535: "Pentax PEF Compressed",
    ],
    0x0112: [  // Orientation
      1: "Horizontal (normal)", 2: "Mirrored horizontal", 3: "Rotated 180", 4: "Mirrored vertical",
      5: "Mirrored horizontal then rotated 90 CCW", 6: "Rotated 90 CW",
      7: "Mirrored horizontal then rotated 90 CW", 8: "Rotated 90 CCW",
    ],
    0x0122: [  // GrayResponseUnit
      1: "0.1", 2: "0.001", 3: "0.0001", 4: "1e-05", 5: "1e-06",
    ],
    0x0128: [  // ResolutionUnit
      1: "Not Absolute", 2: "Pixels/Inch", 3: "Pixels/Centimeter",
    ],
    0x013D: [  // Predictor
      1: "None", 2: "Horizontal differencing",
    ],
    0x0147: [  // CleanFaxData
      0: "Clean", 1: "Regenerated", 2: "Unclean",
    ],
    0x014C: [  // InkSet
      1: "CMYK", 2: "Not CMYK",
    ],
    0x0152: [  // ExtraSamples
      0: "Unspecified", 1: "Associated Alpha", 2: "Unassociated Alpha",
    ],
    0x0153: [  // SampleFormat
      1: "Unsigned", 2: "Signed", 3: "Float", 4: "Undefined", 5: "Complex int", 6: "Complex float",
    ],
    0x0213: [  // YCbCrPositioning
      1: "Centered", 2: "Co-sited",
    ],
    0x8822: [  // ExposureProgram
      0: "Unidentified", 1: "Manual", 2: "Program Normal", 3: "Aperture Priority",
      4: "Shutter Priority", 5: "Program Creative", 6: "Program Action", 7: "Portrait Mode",
      8: "Landscape Mode",
    ],
    0x8830: [  // SensitivityType
      0: "Unknown", 1: "Standard Output Sensitivity", 2: "Recommended Exposure Index",
      3: "ISO Speed", 4: "Standard Output Sensitivity and Recommended Exposure Index",
      5: "Standard Output Sensitivity and ISO Speed", 6: "Recommended Exposure Index and ISO Speed",
      7: "Standard Output Sensitivity, Recommended Exposure Index and ISO Speed",
    ],
    0x9101: [  // ComponentsConfiguration
      0: "", 1: "Y", 2: "Cb", 3: "Cr", 4: "Red", 5: "Green", 6: "Blue",
    ],
    0x9207: [  // MeteringMode
      0: "Unidentified", 1: "Average", 2: "CenterWeightedAverage", 3: "Spot", 4: "MultiSpot",
      5: "Pattern", 6: "Partial", 255: "other",
    ],
    0x9208: [  // LightSource
      0: "Unknown", 1: "Daylight", 2: "Fluorescent", 3: "Tungsten (incandescent light)", 4: "Flash",
      9: "Fine weather", 10: "Cloudy weather", 11: "Shade",
      12: "Daylight fluorescent (D 5700 - 7100K)", 13: "Day white fluorescent (N 4600 - 5400K)",
      14: "Cool white fluorescent (W 3900 - 4500K)", 15: "White fluorescent (WW 3200 - 3700K)",
      17: "Standard light A", 18: "Standard light B", 19: "Standard light C", 20: "D55", 21: "D65",
      22: "D75", 23: "D50", 24: "ISO studio tungsten", 255: "other light source",
    ],
    0x9209: [  // Flash
      0: "Flash did not fire", 1: "Flash fired", 5: "Strobe return light not detected",
      7: "Strobe return light detected", 9: "Flash fired, compulsory flash mode",
      13: "Flash fired, compulsory flash mode, return light not detected",
      15: "Flash fired, compulsory flash mode, return light detected",
      16: "Flash did not fire, compulsory flash mode", 24: "Flash did not fire, auto mode",
      25: "Flash fired, auto mode", 29: "Flash fired, auto mode, return light not detected",
      31: "Flash fired, auto mode, return light detected", 32: "No flash function",
      65: "Flash fired, red-eye reduction mode",
      69: "Flash fired, red-eye reduction mode, return light not detected",
      71: "Flash fired, red-eye reduction mode, return light detected",
      73: "Flash fired, compulsory flash mode, red-eye reduction mode",
      77: "Flash fired, compulsory flash mode, red-eye reduction mode, return light not detected",
      79: "Flash fired, compulsory flash mode, red-eye reduction mode, return light detected",
      89: "Flash fired, auto mode, red-eye reduction mode",
      93: "Flash fired, auto mode, return light not detected, red-eye reduction mode",
      95: "Flash fired, auto mode, return light detected, red-eye reduction mode",
    ],
    0xA001: [  // ColorSpace
      1: "sRGB", 2: "Adobe RGB", 65535: "Uncalibrated",
    ],
    0xA217: [  // SensingMethod
      1: "Not defined", 2: "One-chip color area", 3: "Two-chip color area",
      4: "Three-chip color area", 5: "Color sequential area", 7: "Trilinear",
      8: "Color sequential linear",
    ],
    0xA300: [  // FileSource
      1: "Film Scanner", 2: "Reflection Print Scanner", 3: "Digital Camera",
    ],
    0xA301: [  // SceneType
      1: "Directly Photographed"
    ],
    0xA401: [  // CustomRendered
      0: "Normal", 1: "Custom",
    ],
    0xA402: [  // ExposureMode
      0: "Auto Exposure", 1: "Manual Exposure", 2: "Auto Bracket",
    ],
    0xA403: [  // WhiteBalance
      0: "Auto", 1: "Manual",
    ],
    0xA406: [  // SceneCaptureType
      0: "Standard", 1: "Landscape", 2: "Portrait", 3: "Night",
    ],
    0xA407: [  // GainControl
      0: "None", 1: "Low gain up", 2: "High gain up", 3: "Low gain down", 4: "High gain down",
    ],
    0xA408: [  // Contrast
      0: "Normal", 1: "Soft", 2: "Hard",
    ],
    0xA409: [  // Saturation
      0: "Normal", 1: "Soft", 2: "Hard",
    ],
    0xA40A: [  // Sharpness
      0: "Normal", 1: "Soft", 2: "Hard",
    ],
  ]
}
