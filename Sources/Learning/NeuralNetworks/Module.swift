public import Autograd
import TensorEngine

/// A part of a model: something with named parameters.
///
/// Names follow torch's `state_dict`, as in "resblocks.0.attn.in_proj_weight". A module that holds others
/// passes each a longer prefix, whose dot it adds itself:
/// `attention.visitParameters(prefix: prefix + "attn.", visit)`.
public protocol Module: AnyObject {
  /// Calls `visit` with `prefix` + name and variable, for each parameter in a fixed order.
  func visitParameters(prefix: String, _ visit: (String, Variable) -> Void)

  /// Calls `visit` likewise for each buffer: state that no gradient trains, such as running statistics.
  ///
  /// A buffer is a variable that requires no gradient; weight files and checkpoints hold its value. A
  /// module that has none, nor one inside that does, need not write this.
  func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void)
}

extension Module {
  public func visitBuffers(prefix: String, _ visit: (String, Variable) -> Void) {}

  /// All buffers in the order of the visit.
  public var buffers: [(name: String, variable: Variable)] {
    var found: [(name: String, variable: Variable)] = []
    visitBuffers(prefix: "") { found.append(($0, $1)) }
    return found
  }

  /// All parameters in the order of the visit.
  public var parameters: [(name: String, variable: Variable)] {
    var found: [(name: String, variable: Variable)] = []
    visitParameters(prefix: "") { found.append(($0, $1)) }
    return found
  }

  /// How many numbers the parameters hold.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.variable.value.count } }
}
