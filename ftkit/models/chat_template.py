"""Conversations as a model's own chat template writes them, without transformers.

Takes the template and the special tokens of a model's folder, gives text. Templates come with the model and are not
trusted: they run in jinja2's sandbox, on plain values. Messages are not trusted either: control tokens in them are broken
up, so that only the template writes any. It counts no tokens.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import CallBlock, Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from ftkit.errors import BadInput
from ftkit.models.kinds import is_encoder_decoder

_SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
# How a conversation becomes the plain text that an encoder reads: the turns with a blank line between them; where there is
# more than one question, each turn but the system's says whose it is.
_PLAIN_TEXT = (
    "{%- set several = messages | selectattr('role', 'equalto', 'user') | list | length > 1 -%}"
    "{%- for message in messages -%}{{ '' if loop.first else '\n\n' }}"
    "{{ message.role + ': ' if several and message.role != 'system' else '' }}{{ message.content }}{%- endfor -%}"
)
# A template is a program: it can fail like one.
FAILURES = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class TemplateRefusal(BadInput):
    """The template does not take this conversation, for example because of the order of its roles."""


class ChatTemplate:
    """A compiled template.

    Args:
        source: jinja2 text.
        special_tokens: what the template may call ``bos_token``, ``eos_token`` …
        now: the time, for templates that write today's date.
        control: tokens that the tokenizer would take for commands wherever they stand.
    """

    def __init__(
        self,
        source: str,
        special_tokens: Mapping[str, str],
        now: Callable[[], datetime] = datetime.now,  # noqa: DTZ005 - transformers' own: local time
        control: Iterable[str] = (),
    ) -> None:
        self._control = _any_of(control)
        self._source = source
        self._special_tokens = dict(special_tokens)
        self._template = sandbox(now).from_string(source)

    def render(
        self,
        messages: Iterable[Mapping[str, Any]],
        add_generation_prompt: bool = False,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """The conversation as text.

        Args:
            messages: with ``role`` and ``content``; of the assistant also with ``tool_calls``.
            add_generation_prompt: end where the model's answer begins.
            tools: what the model is told of the tools that it may call.

        Raises:
            TemplateRefusal: the template does not take it.
        """
        plain = [
            {
                str(key): self._disarmed(value if key == "tool_calls" else str(value))
                for key, value in message.items()
            }
            for message in messages
        ]
        if tools:
            self._check_knows("tools")
        if any("tool_calls" in message for message in plain):
            self._check_knows("tool_calls")
        try:
            return self._template.render(
                messages=plain,
                tools=self._disarmed(list(tools)) or None,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **self._special_tokens,
            )
        except FAILURES as error:
            raise TemplateRefusal(
                "models.template_refuses",
                "The chat template of this model refuses the conversation: {reason}",
                reason=str(error) or type(error).__name__,
            ) from error

    def disarms(self, messages: Iterable[Mapping[str, Any]]) -> bool:
        """Whether the text of a message holds a control token, which ``render`` breaks up."""
        return any(self._disarmed(dict(message)) != dict(message) for message in messages)

    def _disarmed(self, value: Any) -> Any:
        """The value with a space in each control token, as the cleaning step of that name does it."""
        if isinstance(value, str):
            return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", value)
        if isinstance(value, list):
            return [self._disarmed(item) for item in value]
        if isinstance(value, dict):
            return {self._disarmed(key): self._disarmed(item) for key, item in value.items()}
        return value

    def _check_knows(self, name: str) -> None:
        """A template that never names them would leave them out without a word."""
        if not re.search(rf"\b{name}\b", self._source):
            raise TemplateRefusal(
                "models.template_without_tools",
                "The chat template of this model cannot write {name}. Choose a model made for tools, or leave them out.",
                name=name,
            )


def read_chat_template(folder: Path) -> ChatTemplate:
    """The template of the model in a folder; an encoder-decoder model without one reads plain text.

    Raises:
        BadInput: it has none, or one that is no valid jinja2.
    """
    config = _read_json(folder / "tokenizer_config.json")
    source = _template_source(folder, config)
    if source is None and is_encoder_decoder(folder):
        source = _PLAIN_TEXT
    if source is None:
        raise BadInput(
            "models.no_template",
            "{model} has no chat template: it takes plain texts only. Choose an instruct or chat model, or map the "
            "data as text.",
            model=folder.name,
        )
    try:
        return ChatTemplate(source, special_tokens(folder), control=control_tokens(folder))
    except jinja2.TemplateSyntaxError as error:
        raise BadInput(
            "models.broken_template",
            "The chat template of {model} cannot be read: {reason}",
            model=folder.name,
            reason=error,
        ) from error


def special_tokens(folder: Path) -> dict[str, str]:
    """Named special tokens of the tokenizer in a folder."""
    found = {
        **_read_json(folder / "special_tokens_map.json"),
        **{k: v for k, v in _read_json(folder / "tokenizer_config.json").items() if v is not None},
    }
    named = {name: found[name] for name in _SPECIAL_TOKENS if found.get(name)}
    return {k: str(v["content"]) if isinstance(v, dict) else str(v) for k, v in named.items()}


def control_tokens(folder: Path) -> list[str]:
    """Tokens that the tokenizer in a folder keeps whole wherever they stand, because they steer the model."""
    listed = _read_json(folder / "tokenizer_config.json").get("added_tokens_decoder", {}).values()
    added = [*listed] or _read_json(folder / "tokenizer.json").get("added_tokens", [])
    return sorted(token["content"] for token in added if token.get("special"))


def _any_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """What finds these tokens, the longest first; a single sign is no command."""
    words = sorted((token for token in tokens if len(token.strip()) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)) or r"(?!)")


def _template_source(folder: Path, config: dict[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8")
    source = config.get("chat_template") or _read_json(folder / "chat_template.json").get("chat_template")
    if isinstance(source, list):  # several named ones
        source = {entry["name"]: entry["template"] for entry in source}.get("default")
    return source if isinstance(source, str) else None


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    value = json.loads(path.read_text(encoding="utf-8"))
    return value if isinstance(value, dict) else {}


class _Generation(Extension):
    """Accepts ``{% generation %}``, with which some templates mark what the model wrote."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return CallBlock(self.call_method("_inside"), [], [], body).set_lineno(line)

    def _inside(self, caller: Callable[[], str]) -> str:
        return caller()


class _Namespace(Namespace):
    """``namespace`` without names that reach into Python's internals."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise jinja2.exceptions.SecurityError(f"{name} is not a name that a template may set.")
        super().__setitem__(name, value)


def sandbox(
    now: Callable[[], datetime] = datetime.now,  # noqa: DTZ005 - as above
    undefined: type[jinja2.Undefined] = jinja2.Undefined,
) -> ImmutableSandboxedEnvironment:
    """Where templates run that are not ours: plain values, nothing of Python's insides.

    Args:
        now: the time, for templates that write today's date.
        undefined: what an unknown name is; ``jinja2.StrictUndefined`` makes it an error.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Generation, loopcontrols],
        autoescape=False,
        undefined=undefined,
    )

    def strftime_now(form: str) -> str:
        return now().strftime(form)

    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = strftime_now
    environment.globals["namespace"] = _Namespace
    return environment


def _to_json(value: Any, **options: Any) -> str:
    return json.dumps(value, **{"ensure_ascii": False, **options})


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)
