import json
from datetime import datetime
from pathlib import Path

import pytest

from ftkit.errors import BadInput
from ftkit.models.chat_template import ChatTemplate, TemplateRefusal, read_chat_template, special_tokens
from tests.tiny import CHAT_TEMPLATE

TURNS = [{"role": "user", "content": "Hi <b>"}, {"role": "assistant", "content": "Hello"}]


def _render(source: str, **tokens: str) -> str:
    return ChatTemplate(source, tokens, now=lambda: datetime(2026, 3, 1)).render(TURNS)


def test_a_conversation_is_written_as_the_template_says() -> None:
    template = ChatTemplate(CHAT_TEMPLATE, {})
    assert template.render(TURNS) == (
        "<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
    )
    assert template.render(TURNS[:1], add_generation_prompt=True).endswith("<|im_start|>assistant\n")


def test_templates_find_what_transformers_gives_them() -> None:
    assert _render("{{ bos_token }}{{ messages | length }}", bos_token="<s>") == "<s>2"
    assert _render("{{ strftime_now('%d %b %Y') }}") == "01 Mar 2026"
    assert _render("{{ {'ç': '<'} | tojson }}") == '{"ç": "<"}'
    assert _render("{% if tools is none %}no tools{% endif %}") == "no tools"
    assert _render(
        "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% break %}{% endfor %}"
    ) == ("Hi <b>")
    assert _render("{% set ns = namespace(n=1) %}{% set ns.n = 2 %}{{ ns.n }}") == "2"
    assert _render("  {% if true %}\nx{% endif %}") == "x"


def test_a_template_that_refuses_says_why() -> None:
    with pytest.raises(TemplateRefusal, match="roles must alternate"):
        _render("{{ raise_exception('roles must alternate') }}")
    with pytest.raises(TemplateRefusal):
        _render("{{ messages[0]['content'] + 1 }}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append({}) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
        "{% for i in range(10**9) %}{% endfor %}",
    ],
)
def test_a_template_cannot_leave_the_sandbox(source: str) -> None:
    with pytest.raises(TemplateRefusal):
        _render(source)


def test_the_template_file_goes_before_the_config(tmp_path: Path) -> None:
    config = {"chat_template": "config", "eos_token": {"content": "</s>"}, "bos_token": None}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert read_chat_template(tmp_path).render([]) == "config"
    (tmp_path / "chat_template.jinja").write_text("file {{ eos_token }}")
    assert read_chat_template(tmp_path).render([]) == "file </s>"
    assert special_tokens(tmp_path) == {"eos_token": "</s>"}


def test_the_default_of_several_named_templates_is_taken(tmp_path: Path) -> None:
    named = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert read_chat_template(tmp_path).render([]) == "plain"


def test_no_template_and_a_broken_one_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_chat_template(tmp_path)
    assert caught.value.key == "models.no_template"
    (tmp_path / "chat_template.jinja").write_text("{% if %}")
    with pytest.raises(BadInput) as caught:
        read_chat_template(tmp_path)
    assert caught.value.key == "models.broken_template"


def test_tools_and_their_calls_reach_a_template_that_knows_them():
    template = ChatTemplate(
        "{% for tool in tools or [] %}[{{ tool | tojson }}]{% endfor %}{% for m in messages %}{{ m.role }}:"
        "{{ m.content }}{% for c in m.tool_calls or [] %}<{{ c.function.name }} {{ c.function.arguments | tojson }}>"
        "{% endfor %}|{% endfor %}",
        {},
    )
    call = {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
    assert (
        template.render(messages, tools=[{"name": "add"}])
        == '[{"name": "add"}]user:x|assistant:<add {"a": 1}>|'
    )
    assert template.render(messages[:1]) == "user:x|"


@pytest.mark.parametrize("name", ["tools", "tool_calls"])
def test_a_template_that_would_leave_tools_out_refuses_them(name):
    template = ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}", {})
    messages = [{"role": "assistant", "content": "x", **({"tool_calls": []} if name == "tool_calls" else {})}]
    with pytest.raises(TemplateRefusal, match=f"cannot write {name}"):
        template.render(messages, tools=[{"name": "add"}] if name == "tools" else [])
