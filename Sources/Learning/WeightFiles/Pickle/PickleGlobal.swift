/// The classes and functions that may stand in a weight file, by what the reader does in their stead.
///
/// Nothing is imported or called: what is not in this table is an error that names it.
enum PickleGlobal: Equatable, Sendable {
  case dictionary
  case sequence
  case set
  /// Text as latin-1 bytes: how protocol 2 writes bytes.
  case encodedText
  case rebuildTensor
  case rebuildTensorWithType
  case rebuildParameter
  /// Of a subclass of Tensor: a function, a type, its arguments, its state.
  case rebuildFromType
  case storage(NumberFormat)
  case bytesStorage
  case numberType(NumberFormat)
  /// TorchScript's marked lists: the list is their only argument.
  case wrapped
  /// A class whose objects are kept as a record of their fields.
  case record(String)

  /// The meaning of `module.name`; nil if it is not on the list.
  ///
  /// - Parameters:
  ///   - module: As the pickle has it.
  ///   - name: As the pickle has it.
  ///   - isTorchScript: Whether classes of `__torch__`, which the archive itself defines, are records.
  init?(module: String, name: String, isTorchScript: Bool) {
    if isTorchScript, module == "__torch__" || module.hasPrefix("__torch__.") {
      self = .record("\(module).\(name)")
      return
    }
    guard let known = Self.known["\(module) \(name)"] else { return nil }
    self = known
  }

  private static let known: [String: PickleGlobal] = {
    var table: [String: PickleGlobal] = [
      "collections OrderedDict": .dictionary, "collections defaultdict": .dictionary,
      "collections Counter": .dictionary, "torch Size": .sequence, "_codecs encode": .encodedText,
      "torch._utils _rebuild_tensor": .rebuildTensor,
      "torch._utils _rebuild_tensor_v2": .rebuildTensor,
      "torch._utils _rebuild_tensor_v3": .rebuildTensorWithType,
      "torch._utils _rebuild_parameter": .rebuildParameter,
      "torch._utils _rebuild_parameter_with_state": .rebuildParameter,
      "torch._tensor _rebuild_from_type_v2": .rebuildFromType,
      "torch.storage UntypedStorage": .bytesStorage, "torch UntypedStorage": .bytesStorage,
      "torch.jit._pickle build_intlist": .wrapped, "torch.jit._pickle build_doublelist": .wrapped,
      "torch.jit._pickle build_boollist": .wrapped,
      "torch.jit._pickle build_tensorlist": .wrapped,
      "torch.jit._pickle restore_type_tag": .wrapped,
    ]
    for builtins in ["builtins", "__builtin__"] {
      for name in ["list", "tuple"] { table["\(builtins) \(name)"] = .sequence }
      for name in ["set", "frozenset"] { table["\(builtins) \(name)"] = .set }
      table["\(builtins) dict"] = .dictionary
      for name in ["object", "bool", "int", "float", "str", "complex", "bytearray"] {
        table["\(builtins) \(name)"] = .record("\(builtins).\(name)")
      }
    }
    let storages: [(String, NumberFormat)] = [
      ("Double", .float64), ("Float", .float32), ("Half", .float16), ("BFloat16", .bfloat16),
      ("Long", .int64), ("Int", .int32), ("Short", .int16), ("Char", .int8), ("Byte", .uint8),
      ("Bool", .bool),
    ]
    for (name, format) in storages { table["torch \(name)Storage"] = .storage(format) }
    let types: [(String, NumberFormat)] = [
      ("float64", .float64), ("float32", .float32), ("float16", .float16),
      ("bfloat16", .bfloat16), ("int64", .int64), ("int32", .int32), ("int16", .int16),
      ("int8", .int8), ("uint8", .uint8), ("bool", .bool),
    ]
    for (name, format) in types { table["torch \(name)"] = .numberType(format) }
    let records = [
      ("torch", "device"), ("torch", "Tensor"), ("torch.nn.parameter", "Parameter"),
      ("torch.nn.parameter", "Buffer"), ("torch.torch_version", "TorchVersion"),
      ("argparse", "Namespace"), ("types", "SimpleNamespace"), ("pathlib", "PosixPath"),
      ("pathlib", "WindowsPath"), ("pathlib", "PurePosixPath"), ("pathlib", "PureWindowsPath"),
      ("pathlib._local", "PosixPath"), ("pathlib._local", "WindowsPath"),
      ("datetime", "datetime"), ("datetime", "timedelta"), ("copyreg", "_reconstructor"),
      ("copy_reg", "_reconstructor"), ("numpy", "dtype"), ("numpy", "ndarray"),
      ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
      ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
      ("numpy._core.numeric", "_frombuffer"), ("numpy.core.numeric", "_frombuffer"),
    ]
    for (module, name) in records { table["\(module) \(name)"] = .record("\(module).\(name)") }
    return table
  }()
}
