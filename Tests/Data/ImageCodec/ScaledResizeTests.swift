import ImageCodec
import Testing

@Suite struct ScaledResizeTests {
  @Test("of a picture decoded smaller, sizes, crops and filters go by the original")
  func sizes() {
    // libjpeg rounds up: 257 and 200 at 3/8 are 97 and 75.
    let scaled = TestPictures.gradient(width: 97, height: 75)
    for mode in ResizeMode.allCases where mode != .no {
      for only in [false, true] {
        let made = scaled.resized(mode: mode, size: 64, onlyIfBigger: only, of: (257, 200))
        let full = TestPictures.gradient(width: 257, height: 200)
          .resized(mode: mode, size: 64, onlyIfBigger: only)
        #expect(made.width == full.width && made.height == full.height, "\(mode)")
      }
    }
    // Larger than the scaled picture, but smaller than the original: still a downscale.
    let made = scaled.resized(mode: .keepRatio, size: 75, of: (257, 200))
    #expect(made == scaled.resized(box: (0, 0, 96.375, 75), width: 96, height: 75, filter: .area))
  }

  @Test("the resampler gets the box of the original's pixels, edges between pixels and all")
  func box() {
    let scaled = TestPictures.gradient(width: 97, height: 75)
    let filters = ResizeFilters(downscale: .bicubic, upscale: .lanczos)
    let made = scaled.resized(mode: .keepRatio, size: 50, filters: filters, of: (257, 199))
    #expect(
      made
        == scaled.resized(
          box: (0, 0, 257 * 3 / 8.0, 199 * 3 / 8.0), width: 65, height: 50, filter: .bicubic))
    let cropped = scaled.resized(mode: .centerCrop, size: 50, filters: filters, of: (257, 199))
    #expect(cropped == made.cropped(left: 7, top: 0, width: 50, height: 50))
  }

  @Test("a picture that is not larger stays as it is, and a whole one is its own original")
  func untouched() {
    let image = TestPictures.gradient(width: 41, height: 23)
    #expect(image.resized(mode: .border, size: 64, onlyIfBigger: true, of: (41, 23)) == image)
    #expect(
      image.resized(mode: .centerCrop, size: 20, of: (41, 23))
        == image.resized(mode: .centerCrop, size: 20))
  }

  @Test("boxes are blurred after the resize and before the crop or the border")
  func blursBetween() {
    let image = TestPictures.gradient(width: 120, height: 80)
    let boxes = [BlurBox(left: 0.2, top: 0.3, right: 0.6, bottom: 0.9)]
    let resized = image.resized(mode: .keepRatio, size: 40).blurred(boxes: boxes)
    #expect(resized != image.resized(mode: .keepRatio, size: 40))
    #expect(
      image.resized(mode: .centerCrop, size: 40, blurring: boxes)
        == resized.cropped(left: 10, top: 0, width: 40, height: 40))
    let bordered = image.resized(mode: .border, size: 60, blurring: boxes)
    #expect(
      bordered.cropped(left: 0, top: 10, width: 60, height: 40)
        == image.resized(mode: .keepRatioLargest, size: 60).blurred(boxes: boxes))
    #expect(image.resized(mode: .no, size: 1, blurring: boxes) == image.blurred(boxes: boxes))
  }

  @Test("what lies further from a box than the blur reaches has no part in it")
  func blursNearBoxes() {
    let image = TestPictures.gradient(width: 400, height: 300)
    // The same 40 × 30 pixels of the whole and of its middle; the radius is 4.
    let whole = image.blurred(boxes: [BlurBox(left: 0.45, top: 0.45, right: 0.55, bottom: 0.55)])
    let middle = image.cropped(left: 100, top: 75, width: 200, height: 150)
    let blurred = middle.blurred(boxes: [BlurBox(left: 0.4, top: 0.4, right: 0.6, bottom: 0.6)])
    #expect(blurred != middle)
    #expect(whole.cropped(left: 100, top: 75, width: 200, height: 150) == blurred)
    for (left, top, width, height) in [
      (0, 0, 400, 75), (0, 225, 400, 75), (0, 0, 100, 300), (300, 0, 100, 300),
    ] {
      #expect(
        whole.cropped(left: left, top: top, width: width, height: height)
          == image.cropped(left: left, top: top, width: width, height: height))
    }
  }
}
