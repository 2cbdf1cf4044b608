"""The Modelfile with which Ollama takes a GGUF file: its chat template as Go writes it, end marker and context.

Takes a model's folder, gives text. The template is not looked up by name: it is taken apart by writing conversations with it, put
together as Go would, and used only where both write the same.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ftkit.errors import BadInput
from ftkit.models.chat_template import ChatTemplate, read_chat_template, special_tokens

_MOST_CONTEXT = 8192  # what Ollama reserves memory for at the start
_MARKS = {"system": "Zsystemz", "user": "Zuserz", "assistant": "Zassistantz"}
Messages = Sequence[Mapping[str, str]]


class Parts(NamedTuple):
    """A template as a plain sequence of turns: what stands around each role's text, and what asks for an answer.

    ``default`` is the system text that it writes where a conversation has none.
    """

    around: dict[str, tuple[str, str]]
    asks: str
    default: str = ""

    def write(self, messages: Messages) -> str:
        """The conversation as Ollama would write it."""
        said = list(messages)
        if self.default and said[0]["role"] != "system":
            said.insert(0, {"role": "system", "content": self.default})
        turns = (self.around[turn["role"]] for turn in said)
        written = (
            before + turn["content"] + after for turn, (before, after) in zip(said, turns, strict=True)
        )
        return "".join(written) + self.asks


def modelfile(model: Path, file: str) -> str:
    """The Modelfile for a GGUF file beside it."""
    lines = [f"FROM ./{file}"]
    parts = parts_of(model)
    if parts is None:
        lines.append(
            "# The model's chat template is no plain sequence of turns, so none is written here: Ollama uses the one inside the\n"
            "# GGUF file where it knows it, and else hands on the text as it stands. Compare a few answers before relying on it."
        )
    else:
        lines.append(f'TEMPLATE """{go_template(parts)}"""')
        if parts.default:
            lines.append(f'SYSTEM """{parts.default}"""')
    config = json.loads((model / "config.json").read_bytes())
    context = int(config.get("max_position_embeddings") or config.get("n_positions") or 0)
    if context:
        lines.append(f"PARAMETER num_ctx {min(context, _MOST_CONTEXT)}")
    end = special_tokens(model).get("eos_token")
    if end:
        lines.append(f'PARAMETER stop "{end}"')
    return "\n".join(lines) + "\n"


def go_template(parts: Parts) -> str:
    """The template for Ollama."""
    branches = []
    for number, (role, (before, after)) in enumerate(parts.around.items()):
        word = "if" if number == 0 else "else if"
        branches.append(f'{{{{ {word} eq .Role "{role}" }}}}{before}{{{{ .Content }}}}{after}')
    return f"{{{{ range .Messages }}}}{''.join(branches)}{{{{ end }}}}{{{{ end }}}}{parts.asks}"


def parts_of(model: Path) -> Parts | None:
    """The template of a model taken apart; None where it has none or where it is no plain sequence of turns."""
    try:
        template = read_chat_template(model)
        begin = special_tokens(model).get("bos_token", "")
        for system in (True, False):
            parts = _taken_apart(template, begin, system)
            if parts is not None and _same(template, begin, parts):
                return parts
    except BadInput:
        return None
    return None


def _taken_apart(template: ChatTemplate, begin: str, system: bool) -> Parts | None:
    user, assistant = ({"role": role, "content": _MARKS[role]} for role in ("user", "assistant"))
    start: list[dict[str, str]] = [{"role": "system", "content": _MARKS["system"]}] if system else []
    one = _written(template, begin, [*start, user])
    two = _written(template, begin, [*start, user, assistant])
    three = _written(template, begin, [*start, user, assistant, user])
    asking = _written(template, begin, [*start, user], asks=True)
    if not (asking.startswith(one) and two.startswith(one) and three.startswith(two)):
        return None
    blocks = {"user": three[len(two) :], "assistant": two[len(one) :]}
    if not one.endswith(blocks["user"]):
        return None
    first = one.removesuffix(blocks["user"])
    if system:
        blocks = {"system": first, **blocks}
    if any(block.count(_MARKS[role]) != 1 for role, block in blocks.items()) or (first and not system):
        return None
    around = {}
    for role, block in blocks.items():
        before, _, after = block.partition(_MARKS[role])
        around[role] = (before, after)
    asks = asking[len(one) :]
    if any(sign in piece for piece in (asks, *sum(around.values(), ())) for sign in ("{{", "}}", '"""')):
        return None
    default = ""
    if system:
        alone = _written(template, begin, [user]).removesuffix(blocks["user"])
        before, after = around["system"]
        if alone.startswith(before) and alone.endswith(after) and len(alone) > len(before) + len(after):
            default = alone[len(before) : len(alone) - len(after)]
    return Parts(around, asks, default)


def _same(template: ChatTemplate, begin: str, parts: Parts) -> bool:
    """Whether both write two conversations alike."""
    turns = [
        ("user", "Hi there"),
        ("assistant", "Yes?"),
        ("user", "İyi günler: 1 < 2"),
        ("assistant", "ok"),
        ("user", "?"),
    ]
    plain = [{"role": role, "content": text} for role, text in turns]
    tried: list[Messages] = [plain, plain[:1]]
    if "system" in parts.around:
        tried += [[{"role": "system", "content": "Be brief."}, *plain]]
    return all(parts.write(said) == _written(template, begin, said, asks=True) for said in tried)


def _written(template: ChatTemplate, begin: str, messages: Messages, asks: bool = False) -> str:
    """What the template writes, without the token that begins every text: llama.cpp adds it by itself."""
    return template.render(messages, add_generation_prompt=asks).removeprefix(
        begin and _once(begin, template)
    )


def _once(begin: str, template: ChatTemplate) -> str:
    """The beginning token where the template writes one before the first turn, and not as a turn's own marker."""
    written = template.render([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    return begin if written.count(begin) == 1 else ""
