import Deduplication
import DurableFiles
import PipelineCore

/// Holds what deduplication has left beside its tables against itself: indexes and samples.
///
/// None of it is a truth of its own, so what is missing is no damage.
struct DuplicatesCheck {
  let facts: RunFacts
  let found: ProblemList

  func run() {
    for damage in IndexDamage.all(in: facts.folder.duplicates) {
      let file = facts.name("\(facts.folder.duplicates)/\(damage.file)")
      found.add(file, damage.what, .duplicateIndex(file: file))
    }
    do {
      let samples = DuplicateSamples(of: facts.folder)
      for chunk in try samples.chunks() where facts.chunks.contains(chunk) { check(chunk, samples) }
    } catch {
      found.add(facts.name(facts.folder.duplicateSamples), "\(error)", .byHand("remove it"))
    }
  }

  private func check(_ chunk: Int, _ samples: DuplicateSamples) {
    do {
      _ = try samples.read(chunk)
    } catch {
      found.add(facts.name(samples.path(chunk)), "\(error)", .samples(chunk: chunk))
    }
  }
}
