import json
from pathlib import Path

from ftkit.workers.exporting.gguf.modelfile import go_template, modelfile, parts_of
from tests.tiny import CHAT_TEMPLATE

# With a system text of its own, as SmolLM2 has it.
_DEFAULT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
    + CHAT_TEMPLATE.removeprefix("{% for message in messages %}")
)
_FOLDED = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ ' ' + m.content + '</s>' }}{% else %}{{ raise_exception('no system') }}{% endif %}"
    "{% endfor %}"
)
_NUMBERED = "{% for m in messages %}{{ loop.index ~ ': ' ~ m.content ~ '\n' }}{% endfor %}"


def model(folder: Path, template: str) -> Path:
    (folder / "chat_template.jinja").write_text(template)
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 32768}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    return folder


def test_a_plain_template_is_written_for_go(tmp_path: Path) -> None:
    parts = parts_of(model(tmp_path, CHAT_TEMPLATE))
    assert parts is not None
    assert parts.around["user"] == ("<|im_start|>user\n", "<|im_end|>\n")
    assert go_template(parts).endswith("{{ end }}{{ end }}<|im_start|>assistant\n")
    assert "SYSTEM" not in modelfile(tmp_path, "model.gguf")


def test_a_system_text_of_the_template_becomes_one_of_the_modelfile(tmp_path: Path) -> None:
    text = modelfile(model(tmp_path, _DEFAULT), "model.gguf")
    assert text.startswith("FROM ./model.gguf\n")
    assert 'SYSTEM """Be kind."""' in text
    assert "PARAMETER num_ctx 8192" in text
    assert 'PARAMETER stop "</s>"' in text


def test_a_template_without_a_system_turn_has_no_branch_for_it(tmp_path: Path) -> None:
    parts = parts_of(model(tmp_path, _FOLDED))
    assert parts is not None
    assert set(parts.around) == {"user", "assistant"}
    assert parts.around["user"][0] == "[INST] "  # llama.cpp writes the first token itself


def test_a_template_that_is_no_sequence_of_turns_is_left_to_ollama_and_said(tmp_path: Path) -> None:
    assert parts_of(model(tmp_path, _NUMBERED)) is None
    text = modelfile(tmp_path, "model.gguf")
    assert "TEMPLATE" not in text
    assert "# The model's chat template is no plain sequence of turns" in text
