"""Each malformed file of the acceptance list gets its answer: one sentence, soon, and nothing left behind."""

import json
import random
import shutil
import socket
import threading
import time

import psutil
import pytest

from ftkit.data import intake
from ftkit.data.incoming import service as incoming
from ftkit.data.splits.rows import sort_out
from ftkit.errors import BadInput, Refused
from ftkit.jobs.call import call_worker
from ftkit.records import Upload
from tests.unit.data import malformed
from tests.unit.data.malformed import CASES, GOOD, MEANING, lines

SECONDS = 10
MEGABYTE = 1024**2
# Read in a process of their own here, too: they would strain or end this one.
_IN_A_PROCESS = {"M14", "M15", "M16", "M17", "M22", "M23", "M24", "M27", "M28", "M30", "M57", "M58"}


@pytest.fixture
def answer(tmp_path, environment, monkeypatch):
    """Reading or error of one file, as an upload would get it."""

    def get(name: str, content: bytes, apart: bool):
        source = tmp_path / "content"
        source.write_bytes(content)
        question = intake.Question(files=((source, name),), folder=tmp_path)
        try:
            if not apart:
                return intake.answer(question)
            value = call_worker("read", question.model_dump(mode="json"), environment, SECONDS * 3)
            return intake.Reading.model_validate(value)
        except BadInput as error:
            return error

    monkeypatch.chdir(tmp_path)
    return get


@pytest.mark.parametrize("case", CASES, ids=[f"{case.number}-{case.name}" for case in CASES])
def test_every_file_gets_its_answer(case, answer, tmp_path):
    content = case.make()
    memory = psutil.Process().memory_info().rss
    begun = time.process_time(), psutil.Process().cpu_times()
    got = answer(case.name, content, case.number in _IN_A_PROCESS)
    now = psutil.Process().cpu_times()
    spent = now.user + now.children_user - begun[1].user - begun[1].children_user
    assert spent < SECONDS
    assert psutil.Process().memory_info().rss - memory < 300 * MEGABYTE
    assert not (tmp_path / "malformed-mark").exists()
    if case.refused:
        assert isinstance(got, BadInput)
        assert got.key in case.refused
        assert case.says in str(got)
        assert str(tmp_path) not in str(got)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["content"]
        return
    assert not isinstance(got, BadInput), str(got)
    assert (got.rows, got.skipped_count) == (case.rows, case.skipped)
    said = [*got.notes, *(item.reason for item in got.skipped)]
    assert not case.says or any(case.says in text for text in said), said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["content", "reading.json", "rows.parquet"]


@pytest.mark.parametrize(("number", "row", "reason"), MEANING, ids=[number for number, *_ in MEANING])
def test_rows_that_mean_nothing_are_left_out_with_their_reason(service, write, number, row, reason):
    good = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
    made = service.import_file(write("a.jsonl", [good] * 3 + [row]))
    assert made.mapping == {"messages": "messages"}
    found = sort_out(service.rows(made.id), made.mapping)
    assert len(found.rows) == 3
    ((place, said),) = found.left_out
    assert place == 3
    assert reason in said


def left_out(service, write, rows: list[dict]) -> list[str]:
    made = service.import_file(write("a.jsonl", rows))
    return [reason for _, reason in sort_out(service.rows(made.id), made.mapping).left_out]


def test_m04_m05_the_size_limit_is_named_and_its_last_byte_is_taken(service, write, monkeypatch):
    monkeypatch.setattr(incoming, "UPLOAD_LIMIT", 2 * MEGABYTE)
    service.add_upload(write("a.txt", b"x" * (2 * MEGABYTE)), "a.txt")
    with pytest.raises(BadInput, match="at most 2 MB"):
        service.add_upload(write("a.txt", b"x" * (2 * MEGABYTE + 1)), "a.txt")


def test_m06_too_many_files(service, write):
    path = write("a.jsonl", [GOOD])
    with pytest.raises(BadInput, match="at most 100"):
        service.incoming.add([(path, "a.jsonl")] * 1001)


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/x.jsonl", "C:\\x.jsonl", "/abs.jsonl", "a\0b.jsonl", "a\nb.jsonl", "x\u202egpj.jsonl"),
        *("n" * 300 + ".jsonl", "🙂.jsonl", ".hidden.jsonl"),
    ],
)
def test_m07_m08_names_are_labels(service, write, home, name):
    upload = service.add_upload(write("in", [GOOD]), name)
    made = service.import_upload(upload.id)
    assert made.rows == 1
    assert made.name.isprintable()
    assert len(upload.filename) <= 140
    assert not {"/", "\\"} & set(upload.filename)
    assert not upload.filename.startswith(".")
    assert [path.name for path in (home / "uploads").iterdir()] == [upload.id]


def test_m17_nothing_is_fetched_for_an_entity(answer):
    hits = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)

        def listen() -> None:
            try:
                hits.append(listener.accept())
            except TimeoutError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        got = answer(
            "a.xlsx", malformed.entity_at(f"http://127.0.0.1:{listener.getsockname()[1]}/x"), apart=False
        )
        thread.join()
    assert isinstance(got, BadInput)
    assert hits == []


def test_m25_no_damage_to_a_parquet_file_ends_more_than_its_reader(answer):
    """Bytes changed anywhere: refused, or read as something, but never a crash of the asking process."""
    whole = malformed.parquet(
        {"question": ["Why?", None] * 50, "n": list(range(100)), "deep": [[{"a": [1]}]] * 100}
    )
    chance = random.Random(7)
    for apart in (True, False, False):
        for _ in range(2 if apart else 60):
            content = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                content[chance.randrange(4, len(content) - 4)] = chance.randrange(256)
            got = answer("a.parquet", bytes(content), apart)
            assert isinstance(got, intake.Reading | BadInput)


def test_m65_m66_m67_cells_are_exactly_what_they_were(read):
    rows, _ = read("a.csv", b'a,b\n"=cmd|\'/c calc\'!A0",+1\n00123,1e5\nNA,null\n"two\nlines","say ""hi"""\n')
    assert [tuple(row.values()) for row in rows] == [
        ("=cmd|'/c calc'!A0", "+1"),
        ("00123", "1e5"),
        ("NA", "null"),
        ("two\nlines", 'say "hi"'),
    ]


def test_m73_turns_after_the_last_answer_are_counted(service, write):
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    made = service.import_file(write("a.jsonl", [{"messages": turns}]))
    assert sort_out(service.rows(made.id), made.mapping).trimmed == 1


def test_m76_share_gpt_is_known(service, write):
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    made = service.import_file(write("a.json", json.dumps([{"conversations": turns}])))
    assert made.mapping == {"messages": "conversations"}
    assert [turn["role"] for turn in service.conversation(made.id, 0)] == ["user", "assistant"]


def test_m77_alpaca_without_an_answer(service, write):
    rows = [{"instruction": "a", "input": "", "output": "b"}] * 3 + [{"instruction": "a", "input": "c"}]
    assert left_out(service, write, rows) == ["“output” is empty"]


def test_m78_unknown_keys_of_a_message_do_no_harm(service, write):
    turns = [{"role": "user", "content": "a", "mood": 1}, {"role": "assistant", "content": "b", "weight": 0}]
    assert left_out(service, write, [{"messages": turns}]) == []


def test_m82_pairs_that_teach_nothing(service, write):
    good = {"prompt": "a", "chosen": "b", "rejected": "c"}
    bad = [
        {**good, "rejected": "b"},
        {**good, "prompt": ""},
        {**good, "chosen": "", "rejected": ""},
        {**good, "rejected": " "},
    ]
    assert left_out(service, write, [good, good, *bad]) == [
        "“chosen” and “rejected” are the same",
        "“prompt” is empty",
        "“rejected” is empty",
        "“rejected” is empty",
    ]


def test_m90_a_copy_that_breaks_leaves_nothing(service, write, home, monkeypatch):
    def torn(source, target) -> None:
        target.write_bytes(b"half")
        raise OSError("the other side went away")

    monkeypatch.setattr(shutil, "copyfile", torn)
    with pytest.raises(OSError, match="went away"):
        service.add_upload(write("a.jsonl", [GOOD]), "a.jsonl")
    assert list((home / "uploads").iterdir()) == []
    assert service._artefacts.all(Upload) == []


def test_m91_m92_the_same_file_twice_is_two_records_of_one_content(service, write):
    path = write("a.jsonl", [GOOD])
    made: list = []
    threads = [threading.Thread(target=lambda: made.append(service.import_file(path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in made}) == len({one.parents for one in made}) == 2
    assert len({one.content_hash for one in made}) == 1


def test_m93_what_was_swapped_on_the_disk_goes_no_further(service, splits, write, home):
    upload = service.add_upload(write("a.jsonl", [GOOD] * 5), "a.jsonl")
    (home / "uploads" / upload.id / "content").write_bytes(lines({"question": "other", "answer": "x"}))
    with pytest.raises(Refused, match="hash"):
        service.inspect(upload.id)
    upload = service.add_upload(write("a.jsonl", [GOOD] * 5), "a.jsonl")
    service.inspect(upload.id)
    rows = home / "uploads" / upload.id / "rows.parquet"
    swapped = rows.read_bytes()[:-1] + b"?"
    rows.write_bytes(swapped)
    with pytest.raises(Refused, match="hash"):
        service.import_upload(upload.id)
    made = service.import_file(write("a.jsonl", [GOOD] * 5))
    stored = home / "datasets" / made.id / "rows.parquet"
    stored.unlink()
    stored.write_bytes(swapped)
    for step in (splits.split, lambda id_: service.remap(id_, {"text": "answer"})):
        with pytest.raises(Refused, match="hash"):
            step(made.id)
