import CLCMS

/// An ICC profile (ICC.1) embedded in a picture, through lcms2.
///
/// Each call has its own lcms2 context, without error handler: whatever lcms2 dislikes comes back
/// as nothing, and any number of threads may call at once.
struct ColourProfile {
  /// The most bytes of a profile looked at; CMYK profiles of presses have 0.5 to 3 MB.
  static let maxBytes = 4 << 20

  let bytes: [UInt8]

  /// nil for what is no profile at all: §7.2 wants 128 bytes of header with "acsp" at 36.
  init?(_ bytes: [UInt8]) {
    guard (132...Self.maxBytes).contains(bytes.count), bytes[36..<40].elementsEqual("acsp".utf8)
    else { return nil }
    self.bytes = bytes
  }

  /// The colours that the profile describes, by the signature at 16 (§7.2.6).
  var model: StoredPicture.Model? {
    switch String(decoding: bytes[16..<20], as: UTF8.self) {
    case "GRAY": .grey
    case "RGB ": .rgb
    case "CMYK": .inks
    default: nil
    }
  }

  /// `picture` in sRGB, perceptual intent, alpha kept; nil where the profile does not serve.
  func toSRGB(_ picture: StoredPicture) -> StoredPicture? {
    guard model == picture.model, let context = unsafe cmsCreateContext(nil, nil) else {
      return nil
    }
    defer { unsafe cmsDeleteContext(context) }
    let opened = unsafe bytes.withUnsafeBytes {
      unsafe cmsOpenProfileFromMemTHR(context, $0.baseAddress, cmsUInt32Number($0.count))
    }
    guard let source = unsafe opened else { return nil }
    defer { unsafe _ = cmsCloseProfile(source) }
    guard let target = unsafe cmsCreate_sRGBProfileTHR(context) else { return nil }
    defer { unsafe _ = cmsCloseProfile(target) }
    let (from, to) =
      switch picture.model {
      case .grey:
        picture.hasAlpha
          ? (CLCMS_GREY_ALPHA_8, CLCMS_RGBA_8) : (CLCMS_GREY_8, CLCMS_RGB_8)
      case .rgb:
        picture.hasAlpha ? (CLCMS_RGBA_8, CLCMS_RGBA_8) : (CLCMS_RGB_8, CLCMS_RGB_8)
      case .inks: (CLCMS_CMYK_8, CLCMS_RGB_8)
      }
    let transform = unsafe cmsCreateTransformTHR(
      context, source, from, target, to, cmsUInt32Number(INTENT_PERCEPTUAL),
      picture.hasAlpha ? CLCMS_COPY_ALPHA : 0)
    guard let transform = unsafe transform else { return nil }
    defer { unsafe cmsDeleteTransform(transform) }
    let count = picture.width * picture.height
    let channels = picture.hasAlpha ? 4 : 3
    let made = unsafe [UInt8](unsafeUninitializedCapacity: count * channels) { room, filled in
      unsafe picture.pixels.withUnsafeBufferPointer {
        unsafe cmsDoTransform(transform, $0.baseAddress, room.baseAddress, cmsUInt32Number(count))
      }
      filled = count * channels
    }
    return StoredPicture(
      width: picture.width, height: picture.height, model: .rgb, hasAlpha: picture.hasAlpha,
      pixels: made)
  }

  /// Whether the profile is a matrix and curves that differ from sRGB's by less than half a level.
  ///
  /// Most embedded profiles are one of the many editions of sRGB. Judged by what it does, not by
  /// its name. The colorants are sRGB's as adapted to D50 (IEC 61966-2-1, annex F of the ICC's
  /// sRGB v2 profile).
  var isSRGB: Bool {
    guard let context = unsafe cmsCreateContext(nil, nil) else { return false }
    defer { unsafe cmsDeleteContext(context) }
    let opened = unsafe bytes.withUnsafeBytes {
      unsafe cmsOpenProfileFromMemTHR(context, $0.baseAddress, cmsUInt32Number($0.count))
    }
    guard let profile = unsafe opened else { return false }
    defer { unsafe _ = cmsCloseProfile(profile) }
    if unsafe cmsIsTag(profile, cmsSigAToB0Tag) != 0 { return false }
    let colorants: [(cmsTagSignature, (Double, Double, Double))] = [
      (cmsSigRedColorantTag, (0.4360, 0.2225, 0.0139)),
      (cmsSigGreenColorantTag, (0.3851, 0.7169, 0.0971)),
      (cmsSigBlueColorantTag, (0.1431, 0.0606, 0.7139)),
    ]
    for (tag, (x, y, z)) in colorants {
      // Safe: lcms2 gives these tags as cmsCIEXYZ, and the profile owns them.
      guard let value = unsafe cmsReadTag(profile, tag)?.assumingMemoryBound(to: cmsCIEXYZ.self),
        unsafe abs(value.pointee.X - x) < 0.0008, unsafe abs(value.pointee.Y - y) < 0.0008,
        unsafe abs(value.pointee.Z - z) < 0.0008
      else { return false }
    }
    for tag in [cmsSigRedTRCTag, cmsSigGreenTRCTag, cmsSigBlueTRCTag] {
      // Safe: a tone curve, owned by the profile.
      guard let curve = unsafe cmsReadTag(profile, tag) else { return false }
      for (level, light) in Self.sRGBCurve {
        let value = unsafe cmsEvalToneCurveFloat(OpaquePointer(curve), level)
        if abs(value - light) > max(0.002 * light, 0.0002) { return false }
      }
    }
    return true
  }

  /// Points of sRGB's transfer function, IEC 61966-2-1 §5.2: value and light.
  private static let sRGBCurve: [(Float, Float)] = [
    (0, 0), (0.04, 0.003095975), (0.1, 0.010022826), (0.2, 0.033104767), (0.3, 0.073238956),
    (0.4, 0.132868322), (0.5, 0.214041140), (0.6, 0.318546778), (0.7, 0.447988410),
    (0.8, 0.603827339), (0.9, 0.787412289), (1, 1),
  ]
}
