from types import SimpleNamespace

import gradio as gr
import pytest

from ftkit.ui.pages.serve import deploying
from ftkit.ui.pages.serve.noting import note


def test_a_name_in_a_toast_stays_text(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(gr, "Info", said.append)
    request = SimpleNamespace(cookies={"ftkit_lang": "tr"}, headers={})
    note(request, "serve.promoted", label="<img src=x onerror=alert(1)>")
    assert said == ["Artık &lt;img src=x onerror=alert(1)&gt; yayında."]


@pytest.mark.parametrize(
    ("engine", "fields", "expected"),
    [
        ("resident", ("run:a", "", ""), "run:a"),
        ("llamacpp", ("export:a", "http://unused", "x"), "export:a"),
        ("upstream", ("run:a", " http://h:8000/v1 ", "m "), "upstream:http://h:8000/v1|m"),
    ],
)
def test_what_is_deployed_is_a_model_or_an_address_with_its_model(engine, fields, expected):
    assert deploying._wanted(engine, *fields, lang="en") == expected


@pytest.mark.parametrize(
    ("engine", "fields"),
    [
        ("resident", (None, "", "")),
        ("upstream", ("run:a", "http://h/v1", "")),
        ("upstream", (None, None, "m")),
    ],
)
def test_without_it_nothing_is_begun(engine, fields):
    with pytest.raises(gr.Error):
        deploying._wanted(engine, *fields, lang="en")
