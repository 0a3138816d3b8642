public import PipelineCore

/// What became of one row of the list, stage by stage.
public struct PairStory: Sendable, Equatable {
  /// One thing that is known, for people and for programs.
  public struct Fact: Sendable, Equatable {
    public var name: String
    /// For a person; nil for what only programs ask for.
    public var words: String?
    /// Null for what only people ask for.
    public var value: JSONValue

    init(_ name: String, _ words: String?, _ value: JSONValue) {
      self.name = name
      self.words = words
      self.value = value
    }

    init(_ name: String, text: String) { self.init(name, text, .string(text)) }

    init(_ name: String, number: Int) { self.init(name, String(number), .int(number)) }
  }

  /// What one stage has to tell.
  public struct Chapter: Sendable, Equatable {
    public var title: String
    public var facts: [Fact]

    init(_ title: String, _ facts: [Fact]) {
      self.title = title
      self.facts = facts
    }

    var json: JSONValue.Member {
      .init(title, .object(facts.filter { $0.value != .null }.map { .init($0.name, $0.value) }))
    }
  }

  /// What came of the row in one of its chunks: the list's, or a retry's.
  public struct Part: Sendable, Equatable {
    /// 0 for the list, else the retry's number.
    public var generation: Int
    public var chunk: Int
    /// By which the retry chose it.
    public var expression: String?
    public var chapters: [Chapter]
    /// The attempts at the chunk's jobs.
    public var jobs: [Fact]
  }

  public var row: Int
  public var uid: String?
  public var fate: String
  /// The last word, in one line.
  public var conclusion: String
  /// What can be done, a line each.
  public var advice: [String]
  /// Where it was dropped and why; nil for what was not.
  public var stage: StageName?
  public var drop: Drop?
  public var failureClass: DropReason.Class?
  public var list: Chapter
  /// Oldest first.
  public var parts: [Part]

  /// The story as one object.
  public var json: JSONValue {
    func text(_ key: String, _ value: String?) -> [JSONValue.Member] {
      value.map { [.init(key, .string($0))] } ?? []
    }
    let head: [JSONValue.Member] =
      [.init("row", .int(row))] + text("uid", uid) + text("fate", fate)
      + text("stage", stage?.rawValue) + text("reason", drop?.reason.rawValue)
      + text("class", failureClass?.rawValue) + text("conclusion", conclusion)
    let generations = parts.map { part -> JSONValue in
      .object(
        [.init("generation", .int(part.generation)), .init("chunk", .int(part.chunk))]
          + text("where", part.expression) + part.chapters.map(\.json)
          + [.init("jobs", .array(part.jobs.map(\.value)))])
    }
    return .object(head + [list.json, .init("generations", .array(generations))])
  }

  /// The story for a person, a line each.
  public var lines: [String] {
    var lines = [conclusion] + advice + ["", list.title] + Self.lines(list.facts)
    for part in parts {
      if part.generation > 0 {
        lines += [
          "", "retry \(part.generation)" + (part.expression.map { ": WHERE \($0)" } ?? ""),
        ]
      }
      for chapter in part.chapters { lines += [chapter.title] + Self.lines(chapter.facts) }
      lines += ["jobs of chunk \(part.chunk)"] + Self.lines(part.jobs)
    }
    return lines
  }

  private static let nameWidth = 15

  private static func lines(_ facts: [Fact]) -> [String] {
    facts.compactMap { fact in
      fact.words.map { words in
        let padding = String(repeating: " ", count: max(1, nameWidth - fact.name.count))
        // A text of several lines stays one.
        return "  " + fact.name + padding + words
      }
    }
  }
}
