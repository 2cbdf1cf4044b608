"""The step against personal data: found by ``ftkit.data.health.personal``, then masked, hashed or replaced.

The same value gets the same replacement in every row, because the replacement is made from the value and a salt alone. It
keeps no table of values, so that none can leak. It finds nothing itself.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Literal

from ftkit.data.cleaning.steps import Context, TextStep, option

KINDS = ("email", "phone", "card", "iban", "ip", "tckn", "secret")

# What ``fake`` writes: never a real value. Domains, numbers and networks are those set aside for examples.
_FAKES = re.compile(
    r"person-[0-9a-f]{8}@example\.com|\+999 \d{3} \d{3} \d{3}|198\.1[89]\.\d{1,3}\.\d{1,3}"
    r"|0000 \d{4} \d{4} \d{4}|XX00 \d{4} \d{4} \d{4}|\b000\d{8}\b|secret-[0-9a-f]{12}"
)
_MASKS = re.compile(r"\[[A-Z]+(?:-[0-9a-f]{10})?\]")
_GROUP = 3
_CARD_GROUP = 4


class MaskPersonalData(TextStep):
    """Personal data that a model must not learn."""

    title = "Hide personal data"
    help = "E-mail addresses, phone numbers, card numbers and the like are replaced, the same one by the same throughout."

    step: Literal["mask_personal_data"] = "mask_personal_data"
    kinds: tuple[Literal["email", "phone", "card", "iban", "ip", "tckn", "secret"], ...] = option(
        KINDS,
        "Kinds",
        "What is looked for.",
        min_length=1,
        choices={
            "email": "e-mail addresses",
            "phone": "phone numbers",
            "card": "card numbers",
            "iban": "bank accounts (IBAN)",
            "ip": "network addresses (IP)",
            "tckn": "Turkish identity numbers",
            "secret": "keys and passwords",
        },
    )
    mode: Literal["mask", "hash", "fake"] = option(
        "mask",
        "Replace by",
        "What stands there afterwards.",
        choices={
            "mask": "a word: [EMAIL]",
            "hash": "a word and a number: [EMAIL-3fa9c1d2e0]",
            "fake": "an invented value",
        },
    )
    salt: str = option(
        "",
        "Salt",
        "Secret text that goes into numbers and invented values, so that nobody can try values out. Keep it to yourself.",
        max_length=200,
    )

    def rewrite(self, context: Context) -> Callable[[str], str]:
        """Replace every span of the chosen kinds."""
        from ftkit.data.health.personal import PersonalData  # noqa: PLC0415  brings the lists of phone numbers, which only this step needs

        finder, wanted = PersonalData(), frozenset(self.kinds)

        def change(text: str) -> str:
            parts, end, ours = [], 0, self._ours(text)
            for span in finder.find(text):
                if span.kind not in wanted or any(span.start < b and a < span.end for a, b in ours):
                    continue
                parts += [text[end : span.start], self._replacement(span.kind, span.text)]
                end = span.end
            return "".join([*parts, text[end:]]) if parts else text

        return change

    def _replacement(self, kind: str, value: str) -> str:
        if self.mode == "mask":
            return f"[{kind.upper()}]"
        digest = self._digest(kind, value)
        return f"[{kind.upper()}-{digest[:10]}]" if self.mode == "hash" else _fake(kind, digest)

    def _digest(self, kind: str, value: str) -> str:
        plain = "".join(value.split()).casefold() if kind != "secret" else value
        plain = re.sub(r"[^\d+]", "", plain) if kind in {"phone", "card"} else plain
        key = hashlib.blake2b(self.salt.encode(), digest_size=32).digest()
        return hashlib.blake2b(
            f"{kind}:{plain}".encode("utf-8", "replace"), key=key, digest_size=16
        ).hexdigest()

    def _ours(self, text: str) -> list[tuple[int, int]]:
        """What an earlier run wrote, which a second one must not replace."""
        patterns = (_MASKS, _FAKES) if self.mode == "fake" else (_MASKS,)
        return [match.span() for pattern in patterns for match in pattern.finditer(text)]


def _fake(kind: str, digest: str) -> str:
    number = str(int(digest, 16)).rjust(20, "0")[-20:]
    if kind == "email":
        return f"person-{digest[:8]}@example.com"
    if kind == "phone":
        return "+999 " + _grouped(number[:9], _GROUP)
    if kind == "card":
        return "0000 " + _grouped(_no_checksum(number[:12]), _CARD_GROUP)
    if kind == "iban":
        return "XX00 " + _grouped(number[:12], _CARD_GROUP)
    if kind == "ip":
        return f"198.{18 + int(digest[0], 16) % 2}.{int(digest[1:3], 16)}.{int(digest[3:5], 16)}"
    return f"000{number[:8]}" if kind == "tckn" else f"secret-{digest[:12]}"


def _grouped(digits: str, size: int) -> str:
    return " ".join(digits[start : start + size] for start in range(0, len(digits), size))


def _no_checksum(digits: str) -> str:
    """The digits of a card number, with the last one changed where they would make a valid one."""
    total = sum(
        digit if place % 2 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(map(int, digits))
    )
    return digits if total % 10 else digits[:-1] + str((int(digits[-1]) + 1) % 10)
