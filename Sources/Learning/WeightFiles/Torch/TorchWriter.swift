import Compression
public import TensorEngine
import ZipFiles

/// The ZIP archive of `torch.save`: an OrderedDict of tensors, as every torch since 1.6 reads it, with
/// `weights_only=True` too.
public enum TorchWriter {
  /// Publishes `tensors` under `path`, all at once; the same tensors give the same bytes.
  ///
  /// - Parameters:
  ///   - tensors: In the order in which the state dict shall have them; names must differ.
  ///   - precision: What numbers become.
  ///   - path: The file, replaced if it is there.
  /// - Throws: ``WeightFileError`` where a value is too large for the precision, or the disk refuses.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], as precision: WeightPrecision = .float32,
    to path: String
  ) throws(WeightFileError) {
    precondition(
      Set(tensors.map(\.name)).count == tensors.count, "\(path): two tensors of one name")
    var zip = try ZipWriter(path)
    try zip.add("archive/data.pkl", pickle(of: tensors, as: precision))
    try zip.add("archive/byteorder", Array("little".utf8))
    for (index, (name, tensor)) in tensors.enumerated() {
      let bytes = try precision.bytes(of: tensor, name: name, file: path)
      try zip.add("archive/data/\(index)", bytes)
    }
    try zip.add("archive/version", Array("3\n".utf8))
    try zip.finish()
  }

  /// A call of `torch._utils._rebuild_tensor_v2` for each tensor, in protocol 2.
  private static func pickle(
    of tensors: [(name: String, tensor: Tensor)], as precision: WeightPrecision
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x80, 2]
    func global(_ module: String, _ name: String) -> [UInt8] {
      Array("c\(module)\n\(name)\n".utf8)
    }
    func text(_ text: String) -> [UInt8] {
      let utf8 = Array(text.utf8)
      var bytes = [UInt8(ascii: "X")]
      bytes.append(littleEndian: utf8.count, 4)
      return bytes + utf8
    }
    func integer(_ value: Int) -> [UInt8] {
      if let small = Int32(exactly: value) {
        var bytes = [UInt8(ascii: "J")]
        bytes.append(littleEndian: small, 4)
        return bytes
      }
      var bytes: [UInt8] = [0x8A, 8]
      bytes.append(littleEndian: value, 8)
      return bytes
    }
    func tuple(_ values: [Int]) -> [UInt8] {
      Array("(".utf8) + values.flatMap(integer) + Array("t".utf8)
    }
    let storage =
      switch precision {
      case .float32: "FloatStorage"
      case .float16: "HalfStorage"
      case .bfloat16: "BFloat16Storage"
      }
    let emptyDictionary = global("collections", "OrderedDict") + Array(")R".utf8)
    bytes += emptyDictionary + Array("(".utf8)
    for (index, (name, tensor)) in tensors.enumerated() {
      var strides: [Int] = []
      var stride = 1
      for side in tensor.shape.reversed() {
        strides.append(stride)
        stride *= max(side, 1)
      }
      bytes += text(name) + global("torch._utils", "_rebuild_tensor_v2") + Array("((".utf8)
      bytes += text("storage") + global("torch", storage) + text("\(index)") + text("cpu")
      bytes += integer(tensor.count) + Array("tQ".utf8) + integer(0) + tuple(tensor.shape)
      bytes += tuple(strides.reversed()) + [0x89] + emptyDictionary + Array("tR".utf8)
    }
    return bytes + Array("u.".utf8)
  }
}
