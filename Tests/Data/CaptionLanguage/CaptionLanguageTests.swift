import CaptionLanguage
import Testing

@Suite struct CaptionLanguageTests {
  @Test(
    "captions as people write them are told apart",
    arguments: [
      ("en", "A brown dog runs through the snow in the park"),
      ("en", "Vintage wooden table with four chairs, free shipping"),
      ("de", "Ein kleiner Hund läuft durch den verschneiten Wald"),
      ("fr", "Une femme assise dans un café près de la fenêtre"),
      ("es", "Una mujer sentada en la playa con su perro"),
      ("it", "Una ragazza che cammina nella strada con il suo cane"),
      ("pt", "Uma menina não quer brincar com o cachorro na praia"),
      ("nl", "Een kleine hond loopt door het bos met zijn baas"),
      ("pl", "Mały pies biegnie przez las obok starego domu"),
      ("ru", "Маленькая собака бежит по снегу в парке"),
      ("uk", "Маленький собака біжить по снігу в парку, їжак"),
      ("el", "Ένας μικρός σκύλος τρέχει στο χιόνι"),
      ("tr", "Küçük bir köpek karda koşuyor ve çocuk gülüyor"),
      ("ja", "公園で小さな犬が走っています"), ("ko", "공원에서 작은 개가 달리고 있습니다"),
      ("zh", "一只小狗在公园里奔跑"), ("ar", "كلب صغير يركض في الثلج"),
      ("he", "כלב קטן רץ בשלג בפארק"), ("hi", "एक छोटा कुत्ता बर्फ में दौड़ रहा है"),
      ("th", "สุนัขตัวเล็กวิ่งอยู่ในสวนสาธารณะ"),
    ])
  func captions(_ code: String, _ caption: String) {
    let told = CaptionLanguageModel.shared.language(of: caption)
    #expect(told?.code == code)
    #expect(told.map { $0.confidence > 1.0 / 32 && $0.confidence <= 1 } == true)
  }

  @Test("what has no letters has no language, and case, digits and marks do not matter")
  func normalised() {
    let model = CaptionLanguageModel.shared
    for caption in ["", " ", "123", "…!?", "🐕"] { #expect(model.language(of: caption) == nil) }
    let plain = model.logits(of: "the red house by the sea")
    #expect(model.logits(of: "  THE red, 12 HOUSE by the---sea!") == plain)
  }

  @Test("the cost of a caption is bounded: beyond the first thousand letters nothing counts")
  func bounded() {
    let model = CaptionLanguageModel.shared
    let text = String(repeating: "a small house ", count: 200)
    #expect(model.logits(of: text) == model.logits(of: text + String(repeating: "я", count: 1_000)))
    #expect(model.language(of: text)?.code == "en")
  }
}
