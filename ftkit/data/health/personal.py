"""Personal data and secrets in a text: where each stands and of which kind.

Takes a text, gives spans. presidio decides what is found, by form and checksum, and our own forms what is a key: no network, no model, no list of names, so
that names and addresses of persons are not found. Loading presidio takes seconds and hundreds of megabytes; it comes with
the first text that may hold something, and only in a worker process. It changes no text.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

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

# presidio's own forms are not bounded, or take a part of a longer number: these say where to look, presidio what it is.
_EMAIL = (
    r"(?<![\w+%-])\w[\w+%'-]{0,63}(?:\.[\w+%'-]{1,63}){0,8}@(?:\w(?:[\w-]{0,61}\w)?\.){1,8}[^\W\d_]{2,24}"
)
_EMAILS = {
    "bounded": _EMAIL + r"(?![\w@-])",
    "before a sentence": _EMAIL + r"(?=\.(?-i:\p{Lu})\w)",  # that begins without a space
}
_CARDS = {  # Visa, Mastercard, Discover, JCB, UnionPay, Troy, Maestro; longer ones; Amex; Diners
    "16": r"(?=4|5[0-8]|2[2-7]|35|6|9792)\d{4}(?:[ -]?\d{4}){3}",
    "18 or 19": r"(?=4|5[06-8]|6)\d{4}(?:[ -]?\d{4}){3}[ -]?\d{2,3}",
    "15": r"3[47]\d{2}[ -]?\d{6}[ -]?\d{5}",
    "14": r"3(?:0[0-5]|[689]\d)\d[ -]?\d{6}[ -]?\d{4}",
}
_TCKN = r"[1-9]\d{10}"
_ALONE = r"(?<![\w.+-]){}(?![\w-]|\.\d)"  # not a part of a longer number
_KEYS = (
    r"-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.{0,8000}?-----END (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
    r"|(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{30,}|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[opsu]_[A-Za-z0-9]{36,}"
    r"|github_pat_\w{40,}|glpat-[\w-]{20,}|sk-(?:[a-z]+-){0,3}[A-Za-z0-9_]{20,}[\w-]*|sk_live_[A-Za-z0-9]{16,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})(?![A-Za-z0-9])"
)
_SECRET = re.compile(_KEYS, re.DOTALL)
_SECRET_SIGNS = re.compile(
    r"-----BEGIN|hf_|AKIA|ASIA|gh[opsu]_|github_|glpat-|sk[-_]|xox|AIza|npm_|pypi-|SG\.|eyJ"
)

# Wider than what presidio takes, so that nothing that it would find is left.
_ROUGH = re.compile(
    rf"{_KEYS}|[\w.+%'-]{{1,64}}@[\w.-]{{3,255}}|[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]){{11,30}}|\d{{1,3}}(?:\.\d{{1,3}}){{3}}"
    r"|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}|[+(]{0,2}\d(?:[ \u00a0().\u2010-\u2013/:-]{0,3}\d){6,40}",
    re.DOTALL,
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
_VALID, _POSSIBLE = 1, 0  # presidio's leniency: a number that exists, one that has the right length


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
        return apart(
            Span(kind, start, end, text[start:end])
            for kind, search in self._searches(text)
            for start, end in search(text)
        )

    def _searches(self, text: str) -> Iterator[tuple[str, Callable[[str], Iterator[tuple[int, int]]]]]:
        """The searches that can find something, by cheap signs."""
        yield "secret", secrets
        if "@" in text:
            yield "email", partial(_spans, "email")
        digits = sum(map(text.count, "0123456789"))
        if digits >= 7:  # noqa: PLR2004  the shortest number looked for
            yield from ((kind, partial(_spans, kind)) for kind in ("iban", "card", "tckn"))
        if (digits >= 4 and text.count(".") > 2) or text.count(":") > 2:  # noqa: PLR2004  as in 8.8.8.8 and a:b::c
            yield "ip", _ips
        if digits >= 7:  # noqa: PLR2004  as above
            yield "phone", _phones
        if self._urls:
            yield "url", _urls


def apart(spans: Iterable[Span]) -> list[Span]:
    """Those that overlap no earlier one, in the order of the text."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def load_finder() -> None:
    """Load presidio now, not with the first text that needs it; in a worker only."""
    _recognizers()


def secrets(text: str) -> Iterator[tuple[int, int]]:
    """Places of keys and passwords, by the forms that their makers gave them; presidio knows none of these."""
    if _SECRET_SIGNS.search(text):
        yield from (match.span() for match in _SECRET.finditer(text))


def suspects(text: str) -> list[Span]:
    """Whatever has the rough form of personal data, for hiding it where nobody asked to look and presidio stays away."""
    return [Span("hidden", *match.span(), match[0]) for match in _ROUGH.finditer(text)]


def hidden(text: str, found: list[Span]) -> str:
    """The text as it may be shown: each find replaced by its kind in capitals."""
    parts, end = [], 0
    for span in found:
        parts += [text[end : span.start], f"[{span.kind.upper()}]"]
        end = span.end
    return "".join([*parts, text[end:]])


@lru_cache(maxsize=1)
def _recognizers() -> Mapping[str, Any]:
    """presidio's recognisers by kind; no language pipeline behind them, because none of them needs words."""
    import tldextract  # noqa: PLC0415  comes with presidio
    from presidio_analyzer import Pattern  # noqa: PLC0415  brings torch: workers only
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  as above
        CreditCardRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        TrNationalIdRecognizer,
        UrlRecognizer,
    )

    # presidio asks it for the endings of addresses; by itself it would fetch a new list of them.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    emails = [Pattern(name, form, 0.5) for name, form in _EMAILS.items()]
    cards = [Pattern(name, _ALONE.format(form), 0.5) for name, form in _CARDS.items()]
    return {
        "email": EmailRecognizer(emails),
        "card": CreditCardRecognizer(cards),
        "iban": IbanRecognizer(),
        "tckn": TrNationalIdRecognizer([Pattern("alone", _ALONE.format(_TCKN), 0.5)]),
        "ip": IpRecognizer(),
        "url": UrlRecognizer(),
    }


def _spans(kind: str, text: str) -> Iterator[tuple[int, int]]:
    """presidio's finds of a kind, the longest first where several begin at one place."""
    recognizer = _recognizers()[kind]
    found = sorted((one.start, -one.end) for one in recognizer.analyze(text, recognizer.supported_entities))
    return ((start, -end) for start, end in found)


def _ips(text: str) -> Iterator[tuple[int, int]]:
    """Addresses of hosts; ``::2`` is a slice in Python, and 1.2.3.4.5 a version."""
    for start, end in _spans("ip", text):
        address: Any = ipaddress.ip_interface(text[start:end]).ip
        address = getattr(address, "ipv4_mapped", None) or address
        no_host = address.is_loopback or address.is_multicast or address.is_unspecified or address.is_reserved
        beside = text[max(0, start - 1) : start] == "." or re.match(r"\.\d", text[end : end + 2])
        if not (no_host or beside):
            yield start, end


def _urls(text: str) -> Iterator[tuple[int, int]]:
    """Addresses of pages; names alone are left out, because main.py is one too."""
    for start, end in _spans("url", text):
        if text[start:end].casefold().startswith(("http://", "https://", "www.")):
            yield start, start + len(text[start:end].rstrip(".,;:!?"))


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


def _without_neighbours(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of digits, then the same without numbers that only stand beside it, as in "0532 123 45 67 3 times"."""
    breaks = [place for place in range(start, end) if text[place] == " "]
    for dropped in range(_NEIGHBOURS + 1):
        for before in range(dropped + 1):
            after = dropped - before
            if before + after <= len(breaks):
                yield (breaks[before - 1] + 1 if before else start), (breaks[-after] if after else end)


def _trimmed(text: str, cut: tuple[int, int]) -> tuple[int, int]:
    """Without an opening bracket that is closed nowhere in it."""
    start, end = cut
    return (start + 1, end) if text[start] == "(" and ")" not in text[start:end] else cut


def _is_sure_phone(number: str, asked: bool) -> bool:
    """A form that hardly anything else has."""
    digits = _digits(number)
    if number.lstrip("(").startswith("+"):
        return _is_number(number, _VALID)
    if _US_FORM.fullmatch(number):
        return _is_number(number, _POSSIBLE)
    if digits.startswith("00"):
        return (asked or bool(_SEPARATED.search(number))) and _is_number("+" + digits[2:], _VALID)
    if _TURKISH_MOBILE.fullmatch(digits) and (asked or _SEPARATED.search(number) or digits.startswith("0")):
        return _is_number(number, _VALID)
    return False


def _is_phone(number: str, asked: bool) -> bool:
    """Whether a run of digits can be a phone number.

    A run that could be an amount, a date or an identifier counts only with a word such as "phone" before it (``asked``).
    """
    digits = _digits(number)
    if len(digits) < _SHORTEST or _NOT_A_PHONE.match(number) or any(_spans("card", number)):
        return False
    separated = bool(_SEPARATED.search(number))
    if number.lstrip("(").startswith("+"):
        return _is_number(number, _POSSIBLE)
    if digits.startswith("00"):
        return (asked or separated) and _is_number("+" + digits[2:], _POSSIBLE)
    if asked:
        return _is_number(number, _POSSIBLE if separated else _VALID)
    return separated and digits.startswith("0") and _is_number(number, _VALID)


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())


@lru_cache(maxsize=4096)
def _is_number(run: str, leniency: int) -> bool:
    """Whether presidio takes the whole run for one phone number of one of the regions."""
    recognizer = _phone_recognizer(leniency)
    found = recognizer.analyze(run, recognizer.supported_entities)
    return any((one.start, one.end) == (0, len(run)) for one in found)


@lru_cache(maxsize=2)
def _phone_recognizer(leniency: int) -> Any:
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer  # noqa: PLC0415  as above

    return PhoneRecognizer(supported_regions=_REGIONS, leniency=leniency)
