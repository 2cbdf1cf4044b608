import pytest

from ftkit.server.callers import Hosts, own_path, split_port

LOCAL = Hosts()


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860", "[::1]", "127.0.0.1:80"]
)
def test_local_names_are_known(host):
    assert LOCAL.knows(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example:7860", "127.0.0.1:", "127.0.0.1:x",
     "", "0.0.0.0:7860", "127.0.0.1@evil.example", "[::1", "localhost:7860:80"],
)  # fmt: skip
def test_foreign_names_are_not(host):
    assert not LOCAL.knows(host)


def test_further_names_can_be_allowed_at_any_port_or_one():
    hosts = Hosts(["box.lan", "gpu.lan:8443"])
    assert hosts.knows("box.lan:1234")
    assert hosts.knows("gpu.lan:8443")
    assert not hosts.knows("gpu.lan:8444")


@pytest.mark.parametrize(
    ("origin", "owned"),
    [
        ("http://127.0.0.1:7860", True),
        ("https://127.0.0.1:7860", True),  # behind a proxy that speaks TLS
        ("http://127.0.0.1:7861", False),  # another program of this machine
        ("http://127.0.0.1", False),
        ("http://localhost:7860", False),
        ("null", False),
        ("", False),
        ("https://evil.example", False),
        ("http://127.0.0.1.evil.example:7860", False),
        ("ftp://127.0.0.1:7860", False),
    ],
)
def test_only_the_page_s_own_origin_is_owned(origin, owned):
    assert LOCAL.owns(origin, "127.0.0.1:7860") is owned


def test_a_space_is_only_its_own_origin_over_https():
    hosts = Hosts(space="me-ftkit.hf.space")
    assert hosts.knows("me-ftkit.hf.space")
    assert hosts.owns("https://me-ftkit.hf.space", "me-ftkit.hf.space")
    assert not hosts.owns("http://me-ftkit.hf.space", "me-ftkit.hf.space")
    assert not hosts.owns("https://evil.hf.space", "me-ftkit.hf.space")


@pytest.mark.parametrize(
    ("method", "site", "refused"),
    [
        ("POST", None, False),  # a program of the owner
        ("POST", "same-origin", False),
        ("POST", "none", False),
        ("POST", "cross-site", True),
        ("POST", "same-site", True),
        ("DELETE", "cross-site", True),
        ("GET", "cross-site", False),  # a link somewhere
    ],
)
def test_fetch_metadata(method, site, refused):
    headers = {"host": "127.0.0.1:7860"} | ({"sec-fetch-site": site} if site else {})
    assert LOCAL.refuses(method, headers) is refused


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_foreign_origin_is_refused_with_any_method(method):
    assert LOCAL.refuses(method, {"host": "127.0.0.1:7860", "origin": "https://evil.example"})


@pytest.mark.parametrize("path", ["/", "/data", "/runs?run=ab12", "/data?x=%2F%2Fevil.example"])
def test_own_paths_stay(path):
    assert own_path(path) == path


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "evil.example", "",
     "javascript:alert(1)", "/ok\r\nset-cookie: a=b", " //evil.example", "///evil.example"],
)  # fmt: skip
def test_other_addresses_become_home(address):
    assert own_path(address) == "/"


def test_the_port_is_split_off():
    assert split_port("[::1]:80") == ("[::1]", "80")
    assert split_port("[::1]") == ("[::1]", None)
    assert split_port("localhost") == ("localhost", None)
