"""Answers and references that metrics are compared on, the odd ones among them."""

PAIRS: list[tuple[str, str]] = [
    ("The cat sat on the mat.", "The cat sat on the mat."),
    ("The cat is on the mat.", "There is a cat on the mat."),
    ("the the the the the the the", "The cat is on the mat."),
    ("A quick brown fox jumps over the lazy dog", "The quick brown fox jumped over the lazy dogs."),
    ("It's a 'good' day, isn't it?", "It is a good day, is it not?"),
    ("$12.50 was paid on 2024-01-02", "12.50 dollars were paid on 2 January 2024"),
    ("Yes", "No"),
    ("Yes.", "yes"),
    ("", "The answer is empty."),
    ("The reference is empty.", ""),
    ("", ""),
    ("?!", "…"),
    ("Siparişim hâlâ gelmedi, İstanbul'a ne zaman ulaşır?", "Siparişim İstanbul'a hâlâ ulaşmadı."),
    ("IŞIKLI DİŞ FIRÇASI", "ışıklı diş fırçası"),
    ("Ilık su içtim.", "Ilık su içtim, üşüdüm."),
    ("今天天气很好。", "今天的天气非常好。"),
    ("我喜欢学习语言", "我喜欢学习语言"),
    ("東京は大きい都市です", "東京はとても大きな都市です"),
    ("한국어 문장입니다", "이것은 한국어 문장입니다"),
    ("Привет, мир!", "Здравствуй, мир!"),
    ("हिन्दी में लिखा है", "यह हिन्दी में लिखा है"),
    ("line one\nline two\n\nline three", "line one\nline 2"),
    ("word " * 60, "word " * 40),
    ("snake_case and kebab-case", "snake case and kebab case"),
    ("café naïve", "cafe\u0301 nai\u0308ve"),
    ("🙂 fine", "fine 🙂"),
]
ANSWERS = [answer for answer, _ in PAIRS]
REFERENCES = [reference for _, reference in PAIRS]

# Plain English: where rouge-score's own words are right.
PLAIN: list[tuple[str, str]] = [(a, r) for a, r in PAIRS if (a + r).isascii()] + [
    (
        "The council met on Tuesday and talked about the bridge.",
        "On Tuesday the council talked about the old bridge.",
    ),
    ("bridge bridge council", "council bridge"),
    ("one two three four five", "five four three two one"),
    ("a b c d e f g", "a x b x c x d"),
    ("Mr. Smith's dog (a poodle) barked -- twice!", "Mr Smith has a poodle that barked twice."),
    ("x", "x"),
    ("x", "y"),
    ("alpha beta", "alpha beta gamma delta"),
    ("UPPER lower Mixed", "upper LOWER mixed"),
    ("3.14 and 2,718", "3.14 or 2718"),
]
