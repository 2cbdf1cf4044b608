"""Personal data found by form and checksum, and not where there is none."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

from ftkit.data import bundled
from ftkit.data.health.personal import PersonalData, hidden, suspects

FINDS = {
    "email": [
        "ayse.yilmaz+is@firma.com.tr",
        "o'neil@example.co.uk",
        "müşteri@örnek.com",
    ],
    "phone": [
        *(
            "+90 532 123 45 67",
            "0532 123 45 67",
            "05321234567",
            "0 (532) 123 45 67",
            "(0212) 555 12 34",
            "0090 532 123 45 67",
        ),
        *("(415) 555-2671", "415-555-2671", "415.555.2671", "1-800-555-0199", "+1 (202) 555-0143"),
        *("+44 20 7946 0958", "020 7946 0958", "+49 30 901820", "+905321234567"),
    ],
    "card": [
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "3782 822463 10005",
        "9792030000000000",
        "2223003122003222",
    ],
    "iban": ["TR33 0006 1005 1978 6457 8413 26", "DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"],
    "ip": ["8.8.8.8", "192.168.10.7", "2001:db8::ff00:42:8329"],
    "tckn": ["10000000146"],
    "secret": [
        "hf_" + "aB3dE" * 7,
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "x1Y2" * 9,
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    ],
}
NOTHING = [
    *("2021-03-15 10:30:45", "10.12.2020", "(1939-1945)", "1990-1995, 2000-2005", "call 2000-2005"),
    *(
        "1,234,567,890",
        "100 200 3000",
        "1 000 000",
        "$1,000,000.00",
        "299 792 458 m/s",
        "5000000000",
        "0.9235687435",
    ),
    *("ISBN 978-3-16-148410-0", "1234567890123", "int x = 2147483647;", "6.02214076e23", "0 1 1 2 3 5 8 13"),
    *("std::vector a::b x[::2]", "12:30:45:00", "v1.2.3", "127.0.0.1", "icon@2x.png", "@decorator", "a @ b"),
    *(
        "4111 1111 1111 1112",
        "10000000147",
        "TR33 0006 1005 1978 6457 8413 27",
        "hf_model",
        "BEGIN PRIVATE KEY",
    ),
]
CASES = [(kind, value) for kind, values in FINDS.items() for value in values]


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_each_kind_is_found_where_it_stands(kind, value):
    text = f"Bilgi: {value}, please."
    (span,) = PersonalData().find(text)
    assert (span.kind, span.text) == (kind, value)
    assert text[span.start : span.end] == value


@pytest.mark.parametrize("text", NOTHING)
def test_numbers_that_are_no_personal_data(text):
    assert PersonalData().find(text) == []


@pytest.mark.parametrize("word", ["call", "phone:", "Cep telefonum", "Beni ara:"])
def test_a_word_before_a_number_makes_it_a_phone_number(word):
    assert [span.text for span in PersonalData().find(f"{word} 4155552671")] == ["4155552671"]
    assert PersonalData().find("order 4155552671") == []


@pytest.mark.parametrize(
    "value", ["0532 123 45 67", "+90 532 123 45 67", "(415) 555-2671", "4111 1111 1111 1111"]
)
def test_numbers_beside_a_find_do_not_hide_it(value):
    for text in (f"3 {value} 2 times", f"{value} 14 kilos", f"in 2020 {value}, 5"):
        assert [span.text for span in PersonalData().find(text)] == [value], text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("EMAIL = 'ann@example.com'", ["ann@example.com"]),
        ("Mail a@b.com.Then go", ["a@b.com"]),
        ("well..ann@example.com", ["ann@example.com"]),
        ("card 41111111 11111111", ["41111111 11111111"]),
        ("to TR33 0006 1005 1978 6457 8413 26 THIS IS IT", ["TR33 0006 1005 1978 6457 8413 26"]),
        ("(381) 234-1234", ["(381) 234-1234"]),
        ("10.0.0.1/24, 1.2.3.4.5, bad::feed, x[::2]", ["10.0.0.1/24"]),
        ("ssh root@host.internal, a@b.local", []),
    ],
)
def test_what_stands_beside_a_find(text, found):
    assert [span.text for span in PersonalData().find(text)] == found


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_the_rough_forms_leave_nothing_of_a_find(kind, value):
    text = f"Bilgi: {value}, please."
    assert hidden(text, suspects(text)) == "Bilgi: [HIDDEN], please."
    assert suspects("Bilgi: 2 eggs, 500 g of flour at 180 degrees.") == []


def test_the_network_is_never_asked(tmp_path):
    script = """
import socket, sys
def refused(*_, **__): raise AssertionError("the network was asked")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refused
from ftkit.data.health.personal import PersonalData
assert PersonalData().find("Soup, 2 carrots.") == []
assert "presidio_analyzer" not in sys.modules, "it comes with the first text that needs it"
finder = PersonalData(urls=True)
print([span.kind for span in finder.find("Write to ann@example.com.tr or call 0532 123 45 67, see www.example.com")])
"""
    environment = {**os.environ, "HOME": str(tmp_path), "TLDEXTRACT_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "['email', 'phone', 'url']", done.stderr
    assert not (tmp_path / "cache").exists()


def test_addresses_of_pages_only_when_asked_for():
    text = "See https://example.org/a?b=1. Or www.example.com)"
    assert PersonalData().find(text) == []
    assert [span.text for span in PersonalData(urls=True).find(text)] == [
        "https://example.org/a?b=1",
        "www.example.com",
    ]


def test_finds_are_in_order_and_never_overlap():
    text = "Ring 0532 123 45 67 or mail a.b@c.com; card 4111 1111 1111 1111, IP 8.8.8.8"
    found = PersonalData().find(text)
    assert [span.kind for span in found] == ["phone", "email", "card", "ip"]
    assert hidden(text, found) == "Ring [PHONE] or mail [EMAIL]; card [CARD], IP [IP]"
    assert hidden("nothing", []) == "nothing"


def test_planted_in_real_text_everything_is_found_and_nothing_else():
    dice = random.Random(3)  # noqa: S311
    finder = PersonalData()
    base = [
        " ".join(map(str, json.loads(line).values()))
        for name in ("house-voice-en", "house-voice-tr")
        for line in bundled.path_of(name).read_text("utf-8").splitlines()
    ]
    assert sum(len(finder.find(text)) for text in base) == 0
    for kind, value in CASES:
        words = dice.choice(base).split(" ")
        words.insert(dice.randrange(len(words)), value)
        assert (kind, value) in {(span.kind, span.text) for span in finder.find(" ".join(words))}


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 50000,
        "a." * 50000 + "@",
        "a@" * 50000,
        "AB12 " * 20000,
        ":" * 100000,
        "1" * 100000,
        "tel " * 30000,
        "(" * 99999 + "1" * 9,
        "::1 " * 20000,
        "4111 " * 20000,
        "a.b" * 30000 + "@c.com",
    ],
)
def test_hostile_texts_take_no_time(text):
    start = time.monotonic()
    PersonalData().find(text)
    suspects(text)
    assert time.monotonic() - start < 5


def test_more_than_500_rows_a_second():
    row = (
        "Call 0532 123 45 67 or mail a.b@c.com about order 20231105 of 3 items. "
        + "The soup was very good. " * 10
    )
    finder, start = PersonalData(), time.monotonic()
    for number in range(1000):
        finder.find(f"{row}{number}")
    assert time.monotonic() - start < 2
