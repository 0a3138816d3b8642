/// EXIF (CIPA DC-008) as exifread shows it: names, and values in words.
enum EXIFReader {
  /// Bounds against files made to exhaust: directories in the chain, fields in all, values shown of
  /// one field, bytes of one text.
  private static let maxDirectories = 100
  private static let maxFields = 4_096
  private static let maxValues = 1_000
  private static let maxTextBytes = 65_536
  private static let maxTotalBytes = 1 << 20

  /// The orientation in the first directory; upright where there is none or it makes no sense.
  static func orientation(in bytes: [UInt8], at range: Range<Int>) -> Orientation {
    guard let directory = TIFFDirectory(bytes, at: range),
      let first = directory.chain(limit: 1).first,
      let field = directory.fields(at: first, limit: maxFields).first(where: {
        $0.tag == EXIFTags.orientation
      }), field.type != 2, case .integer(let value) = directory.numbers(of: field, limit: 1).first
    else { return .upright }
    return Orientation(rawValue: value) ?? .upright
  }

  /// Every tag in exifread's order: a name later found again keeps its place and takes the new value.
  static func tags(in bytes: [UInt8], at range: Range<Int>) -> [(name: String, value: String)] {
    guard let directory = TIFFDirectory(bytes, at: range) else { return [] }
    var reading = Reading(directory: directory)
    for (index, offset) in directory.chain(limit: maxDirectories).enumerated() {
      let name = index == 0 ? "Image" : index == 1 ? "Thumbnail" : "IFD \(index)"
      reading.read(at: offset, named: name, EXIFTags.image, followsPointers: true)
    }
    if let offset = reading.exifOffset {
      reading.read(at: offset, named: "EXIF", EXIFTags.image, followsPointers: true)
    }
    return reading.found
  }

  private struct Reading {
    let directory: TIFFDirectory
    var found: [(name: String, value: String)] = []
    var exifOffset: Int?
    private var places: [String: Int] = [:]
    private var fieldsLeft = EXIFReader.maxFields
    private var bytesLeft = EXIFReader.maxTotalBytes

    init(directory: TIFFDirectory) { self.directory = directory }

    mutating func read(
      at offset: Int, named name: String, _ tags: [UInt16: String], followsPointers: Bool
    ) {
      for field in directory.fields(at: offset, limit: fieldsLeft) {
        guard fieldsLeft > 0, bytesLeft > 0 else { return }
        fieldsLeft -= 1
        if EXIFTags.ignored.contains(field.tag) { continue }
        let value: String
        if followsPointers, let (part, names) = Self.directories[field.tag] {
          value = EXIFText.of(field, in: directory, maxValues, maxTextBytes, isImage: false)
          if case .integer(let pointer) = directory.numbers(of: field, limit: 1).first {
            read(at: pointer, named: part, names, followsPointers: false)
          }
        } else {
          value = EXIFText.of(
            field, in: directory, maxValues, maxTextBytes, isImage: followsPointers)
        }
        if name == "Image", field.tag == EXIFTags.exifPointer,
          case .integer(let pointer) = directory.numbers(of: field, limit: 1).first
        {
          exifOffset = pointer
        }
        let digits = String(field.tag, radix: 16, uppercase: true)
        let unknown = "Tag 0x" + String(repeating: "0", count: 4 - digits.count) + digits
        add(name + " " + (tags[field.tag] ?? unknown), value)
      }
    }

    private static let directories: [UInt16: (String, [UInt16: String])] = [
      EXIFTags.gpsPointer: ("GPS", EXIFTags.gps),
      EXIFTags.interoperabilityPointer: ("Interoperability", EXIFTags.interoperability),
    ]

    private mutating func add(_ name: String, _ value: String) {
      bytesLeft -= name.utf8.count + value.utf8.count
      if let place = places[name] {
        found[place].value = value
      } else {
        places[name] = found.count
        found.append((name, value))
      }
    }
  }
}
