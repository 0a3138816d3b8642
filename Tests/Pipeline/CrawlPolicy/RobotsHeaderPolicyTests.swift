import CrawlPolicy
import Testing

@Suite struct RobotsHeaderPolicyTests {
  static let refused: [([String], String)] = [
    (["noai"], "noai"),
    (["NoAI, NoImageAI"], "noai"),
    (["max-snippet:50", "noimageai"], "noimageai"),
    (["index, follow, noimageai"], "noimageai"),
    (["noindex"], "noindex"),
    (["noimageindex"], "noimageindex"),
    (["none"], "none"),
    // Whomever noai names, it is an opt-out.
    (["img2dataset: noai"], "noai"),
    (["googlebot: noindex, noai"], "noai"),
    // To us by name, in any case.
    (["pairloom: noindex"], "noindex"),
    (["PairLoom : none"], "none"),
    (["*: noindex"], "noindex"),
    (["googlebot: nofollow, pairloom: noindex"], "noindex"),
    // A directive's own colon names no agent.
    (["max-snippet:0, noai"], "noai"),
    (["max-snippet: 0, noindex"], "noindex"),
    (["max-image-preview: large, noimageindex"], "noimageindex"),
    (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], "noai"),
    (["unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noindex"], "noindex"),
    (["unavailable_after: Friday, 25-Jun-10 15:00:00 GMT, noindex"], "noindex"),
    (["unavailable_after: 2010-06-25T15:00:00+02:00, none"], "none"),
    (["noindex, unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT"], "noindex"),
    (["pairloom: unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noindex"], "noindex"),
    // Wrongly written, clearly meant.
    (["noindex nofollow"], "noindex"),
    (["nofollow;noai"], "noai"),
    (["max-snippet:0 noai"], "noai"),
    (["noai: true"], "noai"),
    (["  noai  "], "noai"),
    ([",,noai,"], "noai"),
  ]

  static let allowed: [[String]] = [
    [], [""], ["all"], ["index, follow"], ["nofollow, noarchive, nosnippet"],
    ["googlebot: noindex, nofollow"],
    ["googlebot: none"],
    ["360spider: noindex"],
    ["otherbot: unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noindex"],
    ["unavailable_after: 25 Jun 2010 15:00:00 PST"],
    ["max-snippet: 0, max-image-preview: none, max-video-preview: -1"],
    ["noaix, xnoai, no-ai"],
    // The agent of one line does not reach into the next.
    ["pairloom: nofollow", "googlebot: noindex"],
  ]

  let policy = RobotsHeaderPolicy(profile: .strict, agentToken: "Pairloom")

  @Test("strict finds the directive that refuses", arguments: refused)
  func refuses(lines: [String], directive: String) {
    #expect(policy.refusal(lines) == directive)
  }

  @Test("strict lets pass what refuses nothing, or somebody else", arguments: allowed)
  func allows(lines: [String]) { #expect(policy.refusal(lines) == nil) }

  @Test("an agent named in one line does not bind the next")
  func lines() { #expect(policy.refusal(["googlebot: nofollow", "noindex"]) == "noindex") }

  @Test("off refuses nothing", arguments: refused)
  func off(lines: [String], directive: String) {
    #expect(RobotsHeaderPolicy(profile: .off, agentToken: "pairloom").refusal(lines) == nil)
  }
}
