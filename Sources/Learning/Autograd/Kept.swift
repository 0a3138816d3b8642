public import TensorEngine

/// The value of an operand as a backward rule will want it.
///
/// The tensor itself; or the way to make it again, where that is cheap and needs only what is kept anyway, as the
/// result of a layer norm; or, inside ``withActivationStorage(_:_:)``, the tensor rounded.
public final class Kept {
  private enum Form {
    case whole(Tensor)
    case rounded(BFloat16Tensor)
    case again(Remaking)
  }
  private let form: Form

  private init(_ form: Form) { self.form = form }

  /// Keeps what an operation computed for its own rule.
  public convenience init(_ tensor: Tensor) {
    self.init(ActivationStorage.isRounded ? .rounded(BFloat16Tensor(tensor)) : .whole(tensor))
  }

  /// Keeps a tensor that lives on anyway, as a leaf's does.
  convenience init(living tensor: Tensor) { self.init(.whole(tensor)) }

  convenience init(_ remaking: Remaking) {
    remaking.keepers += 1
    self.init(.again(remaking))
  }

  /// The value; a rule calls this once.
  public func restored() -> Tensor {
    switch form {
    case .whole(let tensor): tensor
    case .rounded(let tensor): tensor.widened()
    case .again(let remaking): remaking.value()
    }
  }

  /// The value, of which a result is made again: the rule that restores it is still to come.
  func lent() -> Tensor {
    if case .again(let remaking) = form { remaking.lentValue() } else { restored() }
  }
}

/// How the result of an operation is computed once more.
final class Remaking {
  /// Whether it is the last time is told, so that what the value is made from may be given up.
  private let make: (_ isLast: Bool) -> Tensor
  fileprivate var keepers = 0

  init(_ make: @escaping (_ isLast: Bool) -> Tensor) { self.make = make }

  fileprivate func value() -> Tensor {
    keepers -= 1
    return make(keepers == 0)
  }

  fileprivate func lentValue() -> Tensor { make(false) }
}

/// In which form the backward pass finds what it needs.
public enum ActivationStorage: String, Sendable, CaseIterable {
  /// As computed.
  case float32
  /// Rounded to the nearest bfloat16, ties to even: half the memory; all arithmetic stays Float.
  ///
  /// Each kept value errs by at most 2⁻⁸ of itself, and independently of the others.
  case bfloat16

  @TaskLocal static var isRounded = false
}

/// Runs `body`, in which operations keep what their backward rules need in this form.
///
/// Leaves, such as parameters and pictures, are kept as they are, and so is what a loss or a function of few values
/// keeps. The values of the forward pass are the same bits in both forms.
public func withActivationStorage<R>(
  _ storage: ActivationStorage, _ body: () throws -> R
) rethrows -> R {
  try ActivationStorage.$isRounded.withValue(storage == .bfloat16) { try body() }
}
