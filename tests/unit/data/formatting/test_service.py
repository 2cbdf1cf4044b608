import time

import pytest

from ftkit.data.storage import iterate_rows
from ftkit.errors import BadInput, NotFound

ROWS = [
    {"id": 1, "task": "Translate.", "in": "good day", "out": "iyi günler", "bad": "iyi"},
    {"id": 2, "task": "Say hello.", "in": "", "out": "merhaba", "bad": "hey"},
    {"id": 3, "task": "", "in": "", "out": "x", "bad": "x"},
]
MAPPING = {"instruction": "task", "user": "in", "assistant": "out"}


@pytest.fixture
def dataset(imported):
    return imported(ROWS, MAPPING)


@pytest.fixture
def rows(home):
    return lambda made: list(iterate_rows(home / "datasets" / made.id / "rows.parquet"))


def test_chat_is_messages_and_what_is_not_used_stays(service, dataset, rows):
    made = service.format(dataset.id, "chat", name="Chat")
    assert rows(made)[0] == {
        "messages": [
            {"role": "user", "content": "Translate.\n\ngood day"},
            {"role": "assistant", "content": "iyi günler"},
        ],
        "id": 1,
        "bad": "iyi",
    }
    assert (made.name, made.rows, made.parents, made.mapping) == (
        "Chat",
        2,
        (dataset.id,),
        {"messages": "messages"},
    )
    assert [(one.line, one.reason) for one in made.skipped] == [(3, "“task” is empty")]
    assert (made.skipped_count, made.columns) == (1, ("messages", "id", "bad"))


@pytest.mark.parametrize(
    ("template", "first", "second"),
    [
        (
            "alpaca",
            "### Instruction:\nTranslate.\n\n### Input:\ngood day\n\n### Response:\n",
            "### Instruction:\nSay hello.\n\n### Response:\n",
        ),
        ("talimat", "### Talimat:\nTranslate.\n\n### Girdi:\ngood day\n\n### Yanıt:\n", "### Talimat:\nSay hello.\n\n### Yanıt:\n"),
        (
            "chatml",
            "<|im_start|>user\nTranslate.\n\ngood day<|im_end|>\n<|im_start|>assistant\n",
            "<|im_start|>user\nSay hello.<|im_end|>\n<|im_start|>assistant\n",
        ),
        ("plain", "Translate.\n\ngood day\n\n", "Say hello.\n\n"),
        ("Q: {{ instruction }}{{ input }}\nA: {{ answer }}!", "Q: Translate.good day\nA: ", "Q: Say hello.\nA: "),
    ],
)  # fmt: skip
def test_texts_keep_the_cut_before_the_answer(service, dataset, rows, template, first, second):
    made = service.format(dataset.id, "text", template=template)
    end = {"chatml": "<|im_end|>", "plain": ""}.get(template, "!" if template[:2] == "Q:" else "")
    assert [(row["prompt"], row["completion"]) for row in rows(made)] == [
        (first, f"iyi günler{end}"),
        (second, f"merhaba{end}"),
    ]
    assert [row["text"] for row in rows(made)] == [row["prompt"] + row["completion"] for row in rows(made)]
    assert made.mapping == {"prompt": "prompt", "completion": "completion"}


def test_earlier_turns_and_the_system_prompt_stand_before_the_question(service, imported, rows):
    turns = [
        ("system", "Be short."),
        ("user", "a?"),
        ("assistant", "A."),
        ("user", "b?"),
        ("assistant", "B."),
    ]
    old = imported([{"m": [{"role": role, "content": text} for role, text in turns]}], {"messages": "m"})
    assert rows(service.format(old.id, "text"))[0]["text"] == (
        "Be short.\n\n### Instruction:\na?\n\n### Response:\nA.\n\n### Instruction:\nb?\n\n### Response:\nB."
    )
    assert rows(service.format(old.id, "completion"))[0] == {
        "prompt": "Be short.\n\na?\n\nA.\n\nb?\n\n",
        "completion": "B.",
    }


def test_given_roles_count_and_plain_pairs_stay_as_they_are(service, dataset, rows):
    made = service.format(dataset.id, "completion", mapping={"prompt": "task", "completion": "out"})
    assert [(row["prompt"], row["completion"]) for row in rows(made)] == [
        ("Translate.", "iyi günler"),
        ("Say hello.", "merhaba"),
    ]
    again = service.format(made.id, "chat")
    assert [message["content"] for message in rows(again)[1]["messages"]] == ["Say hello.", "merhaba"]
    texts = service.format(dataset.id, "text", mapping={"text": "out"})
    assert ([row["text"] for row in rows(texts)], texts.mapping) == (
        ["iyi günler", "merhaba", "x"],
        {"text": "text"},
    )


def test_preference_has_both_answers(service, dataset, rows):
    made = service.format(
        dataset.id, "preference", mapping={"user": "task", "chosen": "out", "rejected": "bad"}
    )
    assert rows(made)[0] == {
        "prompt": [{"role": "user", "content": "Translate."}],
        "chosen": "iyi günler",
        "rejected": "iyi",
        "id": 1,
        "in": "good day",
    }
    assert made.mapping == {"messages": "prompt", "chosen": "chosen", "rejected": "rejected"}
    with pytest.raises(BadInput) as caught:
        service.format(dataset.id, "preference")
    assert caught.value.key == "data.nothing_to_format"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{ answer }", 1),
        ("a\n{% for x in %}\n{{ answer }}", 2),
        ("a\n\n{{ nobody }} {{ answer }}", 3),
        ("{{ answer }}\n{{ 1 / 0 }}", 2),
        ("x\n{{ answer.__class__.__mro__ }}", 2),
        ("{{ cycler.__init__.__globals__ }}", 1),
        ("{% set _ = messages.append(1) %}", 1),
        ("{{ lipsum.__globals__['os'].popen('id').read() }}", 1),
        ("a\n{% include '/etc/passwd' %}", 2),
    ],
)
def test_a_template_that_fails_names_its_line(service, dataset, template, line, home):
    with pytest.raises(BadInput) as caught:
        service.format(dataset.id, "text", template=template)
    assert caught.value.key == "data.bad_template"
    assert caught.value.values["line"] == str(line)
    assert [path.name for path in home.rglob("*") if ".part" in path.name] == []


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ answer }}",
        "{% set s = 'x' * 4000000000 %}{{ answer }}",
        "{{ answer }}{% set ns = namespace(a='x' * 999) %}{% for i in range(40) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
        "{{ 9 ** (9 ** 9) }}{{ answer }}",
    ],
    ids=["endless", "memory", "growing", "arithmetic"],
)
def test_a_template_that_eats_the_machine_is_ended(service, dataset, template, monkeypatch):
    monkeypatch.setattr("ftkit.data.formatting.service._SECONDS", 5)
    began = time.monotonic()
    with pytest.raises(BadInput) as caught:
        service.format(dataset.id, "text", template=template)
    assert caught.value.key == "data.template_too_heavy"
    assert time.monotonic() - began < 40


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("no answer here", "the answer is not in what the template writes"),
        ("{{ answer }}", "the template writes nothing before the answer"),
        (
            "{{ instruction }}{{ answer }}{{ 'x' * 3000000 }}",
            "the template writes more than 2000000 characters",
        ),
    ],
)
def test_a_template_must_write_a_question_and_the_answer(service, dataset, template, reason):
    with pytest.raises(BadInput) as caught:
        service.format(dataset.id, "text", template=template)
    assert caught.value.key == "data.nothing_to_format"
    assert reason in str(caught.value)


def test_what_does_not_exist_is_refused(service, dataset):
    with pytest.raises(NotFound):
        service.format(dataset.id, "text", model="nothing")
    for key, arguments in {
        "data.unknown_shape": {"shape": "poem"},
        "data.half_pair": {"shape": "chat", "mapping": {"prompt": "task", "assistant": "out"}},
        "data.unknown_column": {"shape": "chat", "mapping": {"user": "nobody"}},
        "data.template_too_long": {"shape": "text", "template": "x" * 70_000},
    }.items():
        with pytest.raises(BadInput) as caught:
            service.format(dataset.id, **arguments)
        assert caught.value.key == key


def test_the_same_rows_and_template_are_the_same_bytes(service, dataset):
    one, two = (service.format(dataset.id, "text") for _ in range(2))
    assert one.content_hash == two.content_hash != service.format(dataset.id, "completion").content_hash
    assert service.templates() == ("alpaca", "talimat", "chatml", "plain")
