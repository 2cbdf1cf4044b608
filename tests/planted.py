"""Known faults planted into rows, with the rows where each stands: what a health check must find.

Takes rows of texts, gives rows and places. The numbers pass their checksums; none of them belongs to anybody.
"""

import json
import random
from dataclasses import dataclass, field

from ftkit.data.bundled import path_of

Rows = list[dict[str, str]]

EXACT, NEAR, EMAILS, PHONES, CARDS = 50, 50, 30, 20, 10
_PHONE_FORMS = (
    "+90 5{:02} {:03} {:02} {:02}",
    "05{:02} {:03} {:02} {:02}",
    "({:02}1) {:03}-{:02}{:02}",
    "+1-4{:02}-{:03}-{:02}{:02}",
)


@dataclass
class Planted:
    """Rows, and where which fault was planted."""

    rows: Rows
    places: dict[str, set[int]] = field(default_factory=dict)


def sample_rows(count: int = 300) -> Rows:
    """Different rows of the samples, as questions and answers."""
    rows: Rows = []
    for name in ("house-voice-en", "house-voice-tr", "ticket-triage"):
        for line in path_of(name).read_text("utf-8").splitlines():
            row = json.loads(line)
            question = row.get("question") or row.get("soru") or row.get("message") or row.get("ticket")
            answer = row.get("answer") or row.get("cevap") or row.get("yanıt")
            if question and answer:
                rows.append({"question": question, "answer": answer})
    return rows[:count]


def plant(rows: Rows, columns: tuple[str, str], seed: int = 1) -> Planted:
    """Copies at the end, personal data inside of rows that are not copied."""
    dice = random.Random(seed)
    asked, answered = columns
    made = Planted([dict(row) for row in rows])
    free = list(range(len(rows)))
    dice.shuffle(free)
    values = {
        "email": [
            f"{name}.{n}@mail{n}.example.com" for n, name in enumerate(("ayse", "john", "li") * (EMAILS // 3))
        ],
        "phone": [_phone(dice, n) for n in range(PHONES)],
        "card": [_card(dice) for _ in range(CARDS)],
    }
    for kind, found in values.items():
        made.places[kind] = {free.pop() for _ in found}
        for place, value in zip(sorted(made.places[kind]), found, strict=True):
            made.rows[place][answered] = _inserted(dice, made.rows[place][answered], value)
    sources = free[: EXACT + NEAR]
    for kind, places in (("exact_copy", sources[:EXACT]), ("near_copy", sources[EXACT:])):
        made.places[kind] = set()
        for place in places:
            copy = dict(made.rows[place])
            if kind == "near_copy":
                copy[answered] = _edited(dice, copy[answered])
            made.places[kind].add(len(made.rows))
            made.rows.append(copy)
    return made


def recall_and_precision(
    found: set[int], planted: set[int], known: set[int] = frozenset()
) -> tuple[float, float]:
    """Of what was planted; ``known`` rows had the fault before."""
    right = found & planted
    return len(right) / len(planted), len(right) / max(1, len(found - known))


def _inserted(dice: random.Random, text: str, value: str) -> str:
    words = text.split(" ")
    words.insert(dice.randrange(len(words) + 1), value)
    return " ".join(words)


def _edited(dice: random.Random, text: str) -> str:
    """One small edit: a word left out, added or misspelt, a sentence added, other capitals."""
    words = text.split(" ")
    at = dice.randrange(len(words))
    edits = (
        [*words[:at], *words[at + 1 :]] if len(words) > 6 else [*words, "indeed"],
        [*words[:at], "really", *words[at:]],
        [*words[:at], words[at][:1] + "x" + words[at][1:], *words[at + 1 :]],
        [*words, "Thanks!"],
        [text.capitalize() + "."],
    )
    return " ".join(dice.choice(edits))


def _phone(dice: random.Random, number: int) -> str:
    form = _PHONE_FORMS[number % len(_PHONE_FORMS)]
    return form.format(
        dice.randrange(30, 39), dice.randrange(210, 989), dice.randrange(10, 99), dice.randrange(10, 99)
    )


def _card(dice: random.Random) -> str:
    digits = dice.choice(("4", "51", "9792")).ljust(15, "x").replace("x", "{}")
    digits = digits.format(*(dice.randrange(10) for _ in range(15)))
    total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(digits))
    digits += str(-total % 10)
    return dice.choice((digits, " ".join(digits[at : at + 4] for at in range(0, 16, 4))))
