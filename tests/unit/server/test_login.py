import pytest
from starlette.requests import Request

from ftkit.errors import NotAllowed
from ftkit.server.login import login_page

TOO_MANY = NotAllowed("server.too_many", "Too many wrong tokens. Wait a minute, then try again.")
WRONG = NotAllowed("server.wrong_token", "This token is not the right one. Use the newest link.")


def visit(path: str, query: str = "", language: str = "en") -> Request:
    headers = [(b"host", b"localhost"), (b"accept-language", language.encode())]
    return Request(
        {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    )


@pytest.mark.parametrize(
    ("path", "problem", "status"),
    [
        ("/login", None, 200),
        ("/data", None, 401),
        ("/login", WRONG, 401),
        ("/", WRONG, 401),
        ("/login", TOO_MANY, 429),
        ("/", TOO_MANY, 429),
    ],
)
def test_the_status_says_what_happened(path, problem, status):
    answer = login_page(visit(path), problem)
    assert answer.status_code == status
    assert (str(problem) in answer.body.decode()) is (problem is not None)
    assert answer.headers["cache-control"] == "no-store"


def test_it_needs_nothing_else_from_the_server():
    html = login_page(visit("/login")).body.decode()
    assert 'src="' not in html
    assert "<script" not in html
    assert html.count('href="') == html.count('href="data:')


def test_a_token_of_the_address_is_not_written_into_the_page():
    assert "sesame" not in login_page(visit("/data", "token=sesame"), WRONG).body.decode()


def test_it_speaks_turkish():
    html = login_page(visit("/login", language="tr-TR"), WRONG).body.decode()
    assert '<html lang="tr">' in html
    assert "Giriş" in html
