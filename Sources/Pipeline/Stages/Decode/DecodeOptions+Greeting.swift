import FoundationEssentials

extension DecodeOptions {
  /// The options as a decoding process is told them.
  var greeting: [UInt8] {
    do { return Array(try JSONEncoder().encode(self)) } catch {
      preconditionFailure("options that are no JSON: \(error)")
    }
  }

  /// Nil where the bytes are no options of this version of the program.
  init?(greeting: [UInt8]) {
    do { self = try JSONDecoder().decode(Self.self, from: Data(greeting)) } catch { return nil }
  }
}
