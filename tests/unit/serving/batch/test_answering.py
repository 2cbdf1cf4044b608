import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import BadInput, Refused, WorkerFault
from ftkit.serving.batch.answering import AT_ONCE, Done, answer_all
from ftkit.serving.batch.lines import Answers, Failed, Wanted, read_prompts
from ftkit.serving.engines.asking import Answer, Asked, Source

SETTINGS = {"max_tokens": 8, "temperature": 0.0, "seed": 1}


class Echo:
    """An engine that repeats the question; ``fail`` says what goes wrong with it."""

    def __init__(self, fail: dict[str, Exception] | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self._fail = fail or {}
        self._lock = threading.Lock()

    def check(self, source: Source) -> None:
        """Takes everything."""

    def answer(self, source: Source, asked: Asked) -> Iterator[Answer]:
        text = asked.messages[-1]["content"]
        with self._lock:
            self.asked[text] += 1
        yield Answer(text=text[:1])
        for sign, error in self._fail.items():
            if sign in text:
                raise error
        yield Answer(text=text.upper(), tokens=1, finish="stop")

    def close(self) -> None:
        pass


def wanted(*rows: Any, system: str = "") -> tuple[list[Wanted], list[Failed]]:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return read_prompts(lines, system, SETTINGS)


def run(engine: Echo, questions: list[Wanted], out: Path, told: list[tuple[int, int]] | None = None) -> Done:
    answers = Answers(out)
    try:
        return answer_all(
            engine,
            Source("echo"),
            questions,
            answers,
            lambda *at: told.append(at) if told is not None else None,
        )
    finally:
        answers.close()


def test_what_a_line_asks_and_what_is_wrong_with_it() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    own = [{"role": "system", "content": "own"}, {"role": "user", "content": "d"}]
    found, failed = wanted(
        {"prompt": "one"},
        "",
        {"id": "x", "messages": turns},
        {"id": 7, "messages": own},
        {"id": "x", "prompt": "again"},
        "{nonsense",
        [1],
        {"prompt": " "},
        {"prompt": "p", "messages": turns},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"prompt": "p", "temperature": 2},
        system="sys",
    )
    assert [(one.line, one.id) for one in found] == [(1, "1"), (3, "x"), (4, "7")]
    assert [one.asked.messages[0]["content"] for one in found] == ["sys", "sys", "own"]
    assert [one.line for one in failed] == [5, 6, 7, 8, 9, 10, 11]
    assert "stands in line 3" in failed[0].reason
    assert "temperature" in failed[-1].reason


def test_each_is_asked_once_over_two_starts_and_a_cut_line_is_asked_again(tmp_path: Path) -> None:
    out = tmp_path / "folder" / "answers.jsonl"
    questions, _ = wanted(*({"id": f"q{n}", "prompt": f"text {n}"} for n in range(20)))
    first, told = Echo(), []
    assert run(first, questions[:12], out, told) == Done(12, 0, [])
    assert told == [(n, 12) for n in range(13)]
    whole = out.read_bytes()
    out.write_bytes(whole[:-5])
    lost = json.loads(whole.splitlines()[-1])["answer"].lower()
    second = Echo()
    assert run(second, questions, out) == Done(9, 11, [])
    assert second.asked == Counter([lost, *(f"text {n}" for n in range(12, 20))])
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["id"]: row["answer"] for row in rows} == {f"q{n}": f"TEXT {n}" for n in range(20)}
    assert rows[0].keys() == {
        "id", "answer", "line", "mark", "prompt_tokens", "tokens", "finish", "confidence",
    }  # fmt: skip


def test_another_question_under_the_same_id_is_asked(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    run(Echo(), wanted({"id": "a", "prompt": "one"})[0], out)
    assert run(Echo(), wanted({"id": "a", "prompt": "two"})[0], out) == Done(1, 0, [])
    other, _ = read_prompts(['{"id": "a", "prompt": "one"}'], "", SETTINGS, "resident run:other")
    assert run(Echo(), other, out) == Done(1, 0, [])


def test_what_failed_is_counted_with_its_reason_and_asked_again_next_time(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    questions, _ = wanted(*({"prompt": f"text {n} {'long' if n % 4 == 1 else ''}"} for n in range(12)))
    done = run(Echo({"long": BadInput("a.b", "It is too long.")}), questions, out)
    assert (done.answered, sorted(done.failed)) == (
        9,
        [Failed(n, str(n), "It is too long.") for n in (2, 6, 10)],
    )
    assert run(Echo(), questions, out) == Done(3, 9, [])


def test_an_engine_that_fails_again_and_again_is_not_asked_for_ever(tmp_path: Path) -> None:
    questions, _ = wanted(*({"prompt": f"text {n}"} for n in range(100)))
    engine = Echo({"text": WorkerFault("a.b", "It is gone.")})
    with pytest.raises(WorkerFault, match="gone"):
        run(engine, questions, tmp_path / "answers.jsonl")
    assert sum(engine.asked.values()) < 4 * AT_ONCE


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name, content in (("a", "a diary"), ("b", '{"text": "x"}\n')):
        path = tmp_path / name
        path.write_text(content)
        with pytest.raises(BadInput, match="something else"):
            Answers(path)
        assert path.read_text() == content
    held = Answers(tmp_path / "answers.jsonl")
    with pytest.raises(Refused, match="Another command"):
        Answers(tmp_path / "answers.jsonl")
    held.close()
    Answers(tmp_path / "answers.jsonl").close()
