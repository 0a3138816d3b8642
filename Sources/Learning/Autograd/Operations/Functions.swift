import TensorEngine

extension Variable {
  public func exp() -> Variable {
    let y = value.exp()
    return Variable(result: y, of: [self]) { [target] dy in
      target.accumulate(.combine(dy, y, .multiply))
    }
  }

  /// The natural logarithm.
  public func log() -> Variable {
    let x = value
    return Variable(result: x.log(), of: [self]) { [target] dy in
      target.accumulate(.combine(dy, x, .divide))
    }
  }

  public func sqrt() -> Variable {
    let y = value.squareRoot()
    return Variable(result: y, of: [self]) { [target] dy in
      target.accumulate(Tensor.combine(dy, y, .divide).scaled(by: 0.5))
    }
  }

  public func tanh() -> Variable {
    let y = value.tanh()
    return Variable(result: y, of: [self]) { [target] dy in target.accumulate(y.tanhGradient(dy)) }
  }

  public func sigmoid() -> Variable {
    let y = value.sigmoid()
    return Variable(result: y, of: [self]) { [target] dy in target.accumulate(y.sigmoidGradient(dy))
    }
  }

  /// max(x, 0); the gradient at 0 is 0.
  ///
  /// The result itself tells where it passed: the rule and whoever reads the result keep it together.
  public func relu() -> Variable {
    let y = value.relu()
    let kept = recordsGraph([self]) ? Kept(y) : nil
    return Variable(result: y, of: [self], kept: kept) { [target] dy in
      if let kept { target.accumulate(kept.restored().whereReluPasses(dy)) }
    }
  }

  /// The softmax of each row of the last axis.
  public func softmax() -> Variable {
    let y = value.softmax()
    return Variable(result: y, of: [self]) { [target] dy in target.accumulate(y.softmaxGradient(dy))
    }
  }

  /// log Σ exp of each row of the last axis, which disappears.
  public func logSumExp() -> Variable {
    let x = value
    return Variable(result: x.logSumExp(), of: [self]) { [target] dy in
      target.accumulate(x.softmax().scaledRows(by: dy))
    }
  }

  /// Each row of the last axis divided by its Euclidean norm (at least 1e-12).
  public func l2Normalized() -> Variable {
    let (y, inverseNorms) = value.l2Normalized()
    return Variable(result: y, of: [self]) { [target] dy in
      target.accumulate(y.l2NormalizedGradient(dy, inverseNorms: inverseNorms))
    }
  }
}
