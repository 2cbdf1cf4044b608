"""Rows looked at in pieces: tokens by the trainer's own code, and what the template refuses."""

import json

import pytest

from ftkit.data.storage import write_rows
from ftkit.errors import BadInput
from ftkit.workers.check import pieces
from ftkit.workers.check.__main__ import _limit
from ftkit.workers.training.prepared import prepare
from ftkit.workers.training.rows import FastTokenizer
from tests.planted import sample_rows
from tests.tiny import make_tiny_t5, tiny_tokenizer
from tests.unit.workers.check.test_planted import COLUMNS, MAPPING, piece

STRICT = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('System is not supported.') }}"
    "{% endif %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tiny_tokenizer().save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 512}))
    return folder


@pytest.fixture
def file(tmp_path):
    write_rows(tmp_path / "rows.parquet", sample_rows(60), COLUMNS)
    return tmp_path / "rows.parquet"


def test_lengths_and_what_is_left_out_are_the_trainers(model, file):
    limit = 180
    seen = pieces.look(piece(file, 60, model=str(model), max_length=limit))
    prepared = prepare(file, MAPPING, FastTokenizer(model), limit)
    kept = [length for length in seen.lengths if length <= limit]
    assert kept == [len(row.input_ids) for row in prepared.rows]
    assert seen.trained == prepared.trained_tokens
    assert seen.tally.rows("too_long") == prepared.left_out > 0
    assert max(seen.lengths) == prepared.longest


@pytest.mark.training
def test_an_encoder_decoder_model_reads_questions_and_answers_apart(tmp_path, file):
    model, limit = make_tiny_t5(tmp_path / "t5"), 120
    seen = pieces.look(piece(file, 60, model=str(model), max_length=limit))
    prepared = prepare(file, MAPPING, FastTokenizer(model), limit)
    assert seen.trained == prepared.trained_tokens
    assert seen.tally.rows("too_long") == prepared.left_out > 0
    assert max(seen.lengths) == prepared.longest
    question = {"model": str(model), "max_length": 512, "mapping": {"text": "text"}}
    with pytest.raises(BadInput, match="one text each"):
        _limit(question)
    assert _limit({**question, "mapping": MAPPING}) == 512


def test_a_question_that_fills_the_limit_leaves_nothing_to_learn(model, tmp_path):
    rows = [{"question": "word " * 400, "answer": "yes"}, {"question": "short", "answer": "yes"}]
    write_rows(tmp_path / "rows.parquet", rows, COLUMNS)
    tally = pieces.look(piece(tmp_path / "rows.parquet", 2, model=str(model), max_length=128)).tally
    assert tally.found["no_room"].numbers == [0]
    assert tally.found["too_long"].numbers == [0]


def test_the_templates_own_words_are_kept_with_the_rows(model, tmp_path):
    folder = tmp_path / "strict"
    tiny_tokenizer().save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(STRICT)
    messages = [[{"role": "system", "content": "x"}], [], [{"role": "system", "content": "y"}]]
    rows = [
        {"messages": [*start, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
        for start in messages
    ]
    write_rows(tmp_path / "rows.parquet", rows, ["messages"], ["messages"])
    asked = piece(tmp_path / "rows.parquet", 3, model=str(folder))._replace(
        mapping={"messages": "messages"}, columns=("messages",)
    )
    seen = pieces.look(asked)
    assert seen.tally.found["template"].numbers == [0, 2]
    assert seen.tally.counter("template") == {"System is not supported.": 2}
    assert len(seen.lengths) == 1


def test_special_tokens_of_the_tokenizer_inside_the_text_are_found(model, tmp_path):
    rows = [{"question": "hi <|endoftext|> there", "answer": "a"}, {"question": "[1] < 2", "answer": "b"}]
    write_rows(tmp_path / "rows.parquet", rows, COLUMNS)
    assert pieces.look(piece(tmp_path / "rows.parquet", 2, model=str(model))).tally.found[
        "special_token"
    ].numbers == [0]


def test_pieces_together_are_the_whole(file):
    whole = pieces.look(piece(file, 60))
    first, second = (pieces.look(piece(file, 30)._replace(offset=offset)) for offset in (0, 30))
    first.tally.take(second.tally)
    first.balance.take(second.balance)
    assert first.tally.found == whole.tally.found
    assert first.tally.counters == whole.tally.counters
    assert first.balance.labels() == whole.balance.labels()


def test_grammar_is_read_in_english_answers_only(tmp_path):
    wrong = "This are a answer with alot of mistakes, and it were written by an person who dont care about spelling."
    turkish = "Bu cevap Türkçe yazıldı ve bu yüzden İngilizce dil bilgisi denetiminden geçmemesi gerekiyor, değil mi?"
    write_rows(
        tmp_path / "rows.parquet",
        [{"question": "q", "answer": wrong}, {"question": "q", "answer": turkish}],
        COLUMNS,
    )
    tally = pieces.hints(piece(tmp_path / "rows.parquet", 2), every=1)
    assert tally.counter("read") == {"en": 1}
    assert tally.found["grammar"].numbers == [0]
    assert tally.found["grammar"].examples[0].note
