import pytest

from ftkit.data.incoming.hub import is_hub, parse
from ftkit.errors import BadInput


@pytest.mark.parametrize(
    ("text", "name", "revision"),
    [
        ("hub:org/data", "org/data", "main"),
        (" org/data.v2 ", "org/data.v2", "main"),
        ("hub:org/data@v1.0", "org/data", "v1.0"),
        ("org/data@refs/convert/parquet", "org/data", "refs/convert/parquet"),
    ],
)
def test_names(text, name, revision):
    assert parse(text) == (name, revision)


@pytest.mark.parametrize(
    "text",
    [
        *("", "data", "a/b/c", "../../etc/passwd", "org/..", "org/data@../x", "http://127.0.0.1/x"),
        *("file:///etc/passwd", "org/da ta", "-x/y z", "org/data?x=1", "user@host/x", "o" * 97 + "/x"),
        "org/data\0",
    ],
)
def test_what_is_no_name_asks_no_server(text):
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert caught.value.key == "data.not_a_hub_name"


def test_files_and_the_hub_are_told_apart():
    assert is_hub("hub:org/data")
    assert not is_hub("data/hub:x.csv")
