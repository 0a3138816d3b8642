/// The best rows so far: a heap whose root is the worst of them.
struct BestNeighbours {
  private let most: Int
  private(set) var heap: [Neighbour] = []

  init(_ most: Int) { self.most = most }

  /// Takes a row where it is among the best; a score that is not a number never is.
  @inline(__always) mutating func offer(_ row: Int, _ score: Float) {
    if heap.count == most {
      guard score >= heap[0].score else { return }
      replace(Neighbour(row: row, score: score))
    } else if !score.isNaN {
      heap.append(Neighbour(row: row, score: score))
      rise()
    }
  }

  private mutating func replace(_ new: Neighbour) {
    guard Neighbour.isBefore(new, heap[0]) else { return }
    heap[0] = new
    var place = 0
    while true {
      var worst = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < heap.count && Neighbour.isBefore(heap[worst], heap[child]) {
        worst = child
      }
      guard worst != place else { return }
      heap.swapAt(worst, place)
      place = worst
    }
  }

  private mutating func rise() {
    var place = heap.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard Neighbour.isBefore(heap[parent], heap[place]) else { return }
      heap.swapAt(parent, place)
      place = parent
    }
  }
}
