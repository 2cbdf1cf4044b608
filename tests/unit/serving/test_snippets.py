"""Snippets are programs that run, and hold no secret but what they are given."""

import ast
import shlex

from ftkit.serving.snippets import snippets


def test_they_are_whole_programs_with_address_and_model() -> None:
    made = snippets("http://127.0.0.1:7860/v1/", "it's a model", "ftk_abc…")
    assert set(made) == {"curl", "feedback", "python", "javascript"}
    ast.parse(made["python"])
    words = shlex.split(made["curl"].partition("\n")[2])
    assert words[:2] == ["curl", "http://127.0.0.1:7860/v1/chat/completions"]
    assert '"it\'s a model"' in words[-1]
    assert all("http://127.0.0.1:7860/v1" in text for text in made.values())
    assert "ftk_abc…" in made["curl"]
    assert "ftk_" not in made["python"] + made["javascript"]
