import TensorEngine

extension Variable {
  /// Elementwise sum; one side may be a scalar or lack leading axes of the other.
  public static func + (a: Variable, b: Variable) -> Variable {
    Variable(result: .combine(a.value, b.value, .add), of: [a, b]) {
      [a = a.target, b = b.target] dy in
      a.accumulate(dy.summed(to: a.shape))
      b.accumulate(dy.summed(to: b.shape))
    }
  }

  /// Elementwise difference; one side may be a scalar or lack leading axes of the other.
  public static func - (a: Variable, b: Variable) -> Variable {
    Variable(result: .combine(a.value, b.value, .subtract), of: [a, b]) {
      [a = a.target, b = b.target] dy in
      a.accumulate(dy.summed(to: a.shape))
      b.accumulate(dy.summed(to: b.shape).scaled(by: -1))
    }
  }

  /// Elementwise product; one side may be a scalar or lack leading axes of the other.
  public static func * (a: Variable, b: Variable) -> Variable {
    // Each side is needed for the other's gradient alone.
    let x = b.requiresGradient ? a.kept() : nil
    let y = a.requiresGradient ? b.kept() : nil
    return Variable(result: .combine(a.value, b.value, .multiply), of: [a, b]) {
      [a = a.target, b = b.target] dy in
      if let y { a.accumulate(Tensor.combine(dy, y.restored(), .multiply).summed(to: a.shape)) }
      if let x { b.accumulate(Tensor.combine(dy, x.restored(), .multiply).summed(to: b.shape)) }
    }
  }

  /// Elementwise quotient; one side may be a scalar or lack leading axes of the other.
  public static func / (a: Variable, b: Variable) -> Variable {
    let (x, y) = (a.value, b.value)
    return Variable(result: .combine(x, y, .divide), of: [a, b]) {
      [a = a.target, b = b.target] dy in
      let quotient = Tensor.combine(dy, y, .divide)
      a.accumulate(quotient.summed(to: x.shape))
      // d(x/y)/dy = -x/y²
      b.accumulate(
        Tensor.combine(Tensor.combine(quotient, x, .multiply), y, .divide).summed(to: y.shape)
          .scaled(by: -1))
    }
  }

  public static prefix func - (x: Variable) -> Variable { x.scaled(by: -1) }

  /// The product with a number.
  public func scaled(by factor: Float) -> Variable {
    Variable(result: value.scaled(by: factor), of: [self]) { [target] dy in
      target.accumulate(dy.scaled(by: factor))
    }
  }

  /// The sum with a number.
  public func shifted(by offset: Float) -> Variable {
    Variable(result: value.shifted(by: offset), of: [self]) { [target] dy in target.accumulate(dy) }
  }
}
