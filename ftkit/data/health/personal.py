"""Personal data and secrets in a text: where each stands and of which kind.

Takes a text, gives spans. Everything is found by its form and, where there is one, its checksum: no network, no model,
no list of names, so that names and addresses of persons are not found. It changes no text.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

KINDS = (
    "secret",
    "email",
    "iban",
    "card",
    "tckn",
    "ip",
    "phone",
    "url",
)  # in the order in which overlaps are decided

_EMAIL = re.compile(
    r"(?<![\w.+%-])\w(?:[\w.+%'-]{0,62}[\w+-])?@(?:\w(?:[\w-]{0,61}\w)?\.){1,8}[^\W\d_]{2,24}(?![\w@-])"
)
_FILE_ENDINGS = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"}
)  # icon@2x.png is a picture
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_IBAN_LENGTHS = range(15, 35)
_CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,24}(?![\w-]|\.\d)")
_CARD_STARTS = re.compile(  # Visa, Mastercard, Amex, Discover, Diners, JCB, UnionPay, Troy, Maestro
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|9792\d{12}"
    r"|(?:50|5[6-9]|6[0-9])(?:\d{14}|\d{16,17})"
)
_TCKN = re.compile(r"(?<![\w.+-])[1-9]\d{10}(?![\w-]|\.\d)")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:])")
_NO_HOST = frozenset({"0.0.0.0", "127.0.0.1", "255.255.255.255", "255.255.255.0", "::1"})  # noqa: S104  not bound to
_URL = re.compile(
    r"(?:https?://|(?<![\w.@])www\.)[^\s<>\"'`\]}\\)]{2,2000}[^\s<>\"'`\]}\\).,;:!?]", re.IGNORECASE
)
_SECRETS = re.compile(
    r"-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.{0,8000}?-----END (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
    r"|(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{30,}|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[opsu]_[A-Za-z0-9]{36,}"
    r"|github_pat_\w{40,}|glpat-[\w-]{20,}|sk-(?:[a-z]+-){0,3}[A-Za-z0-9_]{20,}[\w-]*|sk_live_[A-Za-z0-9]{16,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})(?![A-Za-z0-9])",
    re.DOTALL,
)
_SECRET_SIGNS = re.compile(
    r"-----BEGIN|hf_|AKIA|ASIA|gh[opsu]_|github_|glpat-|sk[-_]|xox|AIza|npm_|pypi-|SG\.|eyJ"
)

_PHONE = re.compile(
    r"(?<![\w.,/@=#$€£:%+-])(?:\+|\(\+?)?\d(?:[ \u00a0().\u2010-\u2013/-]{0,3}\d){6,14}(?![\w@%]|[.,:/-]\d)"
)
_SEPARATED = re.compile(r"\d\)?[ \u00a0.\u2010-\u2013/-]{1,3}\(?\d")
_US_FORM = re.compile(r"(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[1-9]\d\d[-.])\d{3}[-. ]\d{4}")
_TURKISH_MOBILE = re.compile(r"(?:0?5\d{9}|90?5\d{9})")
_NOT_A_PHONE = re.compile(
    r"\d+\.\d+$|(?:19|20)\d\d[-./]\d|\d\d?[./-]\d\d?[./-](?:19|20)\d\d|\d{1,3}(?:[ .]\d{3}){2,}$"
)
_NEARBY = re.compile(
    r"\b(?:phone|telephone|tel|tele|mobile|cell|cellphone|call|dial|text|sms|fax|whatsapp|gsm|hotline|contact"
    r"|telefon\w*|cep|numara\w*|ara|arayın\w*|arayabil\w*|ulaş\w*|faks|hat)\b[^\d\n]{0,30}$",
    re.IGNORECASE,
)
_LOOK_BACK = 60
_NEIGHBOURS = 2  # numbers beside a run of digits that may not belong to it
_SHORTEST = 7  # digits of a phone number
_REGIONS = ("TR", "US", "GB", "DE", "FR")


@dataclass(frozen=True)
class Span:
    """One find: ``text[start:end]`` of the text searched."""

    kind: str
    start: int
    end: int
    text: str


class PersonalData:
    """Finds e-mail addresses, phone, card, account and Turkish identity numbers, IP addresses and secrets."""

    def __init__(self, urls: bool = False) -> None:
        self._urls = urls

    def find(self, text: str) -> list[Span]:
        """What the text holds, in its order, no two finds overlapping."""
        found: list[Span] = []
        for kind, search in self._searches(text):
            for start, end in search(text):
                if all(end <= other.start or start >= other.end for other in found):
                    found.append(Span(kind, start, end, text[start:end]))
        return sorted(found, key=lambda span: span.start)

    def _searches(self, text: str) -> Iterator[tuple[str, Callable[[str], Iterator[tuple[int, int]]]]]:
        """The searches that can find something, by cheap signs."""
        if _SECRET_SIGNS.search(text):
            yield "secret", _secrets
        if "@" in text:
            yield "email", _emails
        digits = sum(map(text.count, "0123456789"))
        if digits >= 7:  # noqa: PLR2004  the shortest number looked for
            yield from (("iban", _ibans), ("card", _cards), ("tckn", _tckns))
        if (digits >= 4 and text.count(".") > 2) or text.count(":") > 2:  # noqa: PLR2004  as in 8.8.8.8 and a:b::c
            yield "ip", _ips
        if digits >= 7:  # noqa: PLR2004  as above
            yield "phone", _phones
        if self._urls:
            yield "url", _all(_URL)


def hidden(text: str, found: list[Span]) -> str:
    """The text as it may be shown: each find replaced by its kind in capitals."""
    parts, end = [], 0
    for span in found:
        parts += [text[end : span.start], f"[{span.kind.upper()}]"]
        end = span.end
    return "".join([*parts, text[end:]])


def _all(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda text: (match.span() for match in pattern.finditer(text))


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    return _all(_SECRETS)(text)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        if match[0].rsplit(".", 1)[1].casefold() not in _FILE_ENDINGS and ".." not in match[0]:
            yield match.span()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """Accounts whose remainder by 97 is 1; words in capitals after one are not part of it."""
    for match in _IBAN.finditer(text):
        start, end = match.span()
        while end > start:
            plain = text[start:end].replace(" ", "")
            if len(plain) not in _IBAN_LENGTHS:
                break
            if int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1:
                yield start, end
                break
            end = text.rfind(" ", start, end)


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        for start, end in _without_neighbours(text, *match.span()):
            digits = text[start:end].replace(" ", "").replace("-", "")
            if _CARD_STARTS.fullmatch(digits) and _luhn(digits):
                yield start, end
                break


def _without_neighbours(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of digits, then the same without numbers that only stand beside it, as in "0532 123 45 67 3 times"."""
    breaks = [place for place in range(start, end) if text[place] == " "]
    for dropped in range(_NEIGHBOURS + 1):
        for before in range(dropped + 1):
            after = dropped - before
            if before + after <= len(breaks):
                yield (breaks[before - 1] + 1 if before else start), (breaks[-after] if after else end)


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def _tckns(text: str) -> Iterator[tuple[int, int]]:
    """Turkish identity numbers: the tenth and the eleventh digit are checksums."""
    for match in _TCKN.finditer(text):
        digits = [int(digit) for digit in match[0]]
        tenth = (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10
        if digits[9] == tenth and digits[10] == sum(digits[:10]) % 10:
            yield match.span()


def _ips(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if match[0] not in _NO_HOST and not address.is_loopback and not address.is_multicast:
                yield match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        asked = bool(_NEARBY.search(text[max(0, match.start() - _LOOK_BACK) : match.start()]))
        cuts = list(_without_neighbours(text, *match.span()))
        for is_phone in (_is_sure_phone, _is_phone):  # a sure one before a longer one that is only possible
            found = next(
                (cut for cut in map(partial(_trimmed, text), cuts) if is_phone(text[slice(*cut)], asked)),
                None,
            )
            if found is not None:
                yield found
                break


def _trimmed(text: str, cut: tuple[int, int]) -> tuple[int, int]:
    """Without an opening bracket that is closed nowhere in it."""
    start, end = cut
    return (start + 1, end) if text[start] == "(" and ")" not in text[start:end] else cut


def _is_sure_phone(number: str, asked: bool) -> bool:
    """A form that hardly anything else has."""
    digits = _digits(number)
    if number.lstrip("(").startswith("+"):
        return _valid("+" + digits, "ZZ")
    if _US_FORM.fullmatch(number):
        return True
    if digits.startswith("00"):
        return (asked or bool(_SEPARATED.search(number))) and _valid("+" + digits[2:], "ZZ")
    if _TURKISH_MOBILE.fullmatch(digits) and (asked or _SEPARATED.search(number) or digits.startswith("0")):
        return _valid(digits, "TR")
    return False


def _is_phone(number: str, asked: bool) -> bool:
    """Whether a run of digits can be a phone number.

    A run that could be an amount, a date or an identifier counts only with a word such as "phone" before it (``asked``).
    """
    digits = _digits(number)
    if (
        len(digits) < _SHORTEST
        or _NOT_A_PHONE.match(number)
        or (_CARD_STARTS.fullmatch(digits) and _luhn(digits))
    ):
        return False
    if number.lstrip("(").startswith("+"):
        return _possible("+" + digits)
    separated = bool(_SEPARATED.search(number))
    if digits.startswith("00"):
        return _possible("+" + digits[2:]) and (asked or separated)
    if asked:
        return separated or any(_valid(digits, region) for region in _REGIONS)
    return separated and digits.startswith("0") and any(_valid(digits, region) for region in _REGIONS)


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())


def _possible(number: str) -> bool:
    import phonenumbers  # noqa: PLC0415  not when the dashboard starts

    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=4096)
def _valid(number: str, region: str) -> bool:
    import phonenumbers  # noqa: PLC0415  not when the dashboard starts

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False
