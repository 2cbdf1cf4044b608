from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound
from ftkit.settings import Settings
from ftkit.workspace import Workspace

QUESTION = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "my parcel\nis late"}]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        yield workspace


def test_kept_answers_become_a_dataset_of_conversations(workspace: Workspace) -> None:
    hostile = "<script>alert(1)</script> ğ漢 \u2028 x"
    first = workspace.examples.keep(QUESTION, "Sorry!", side="run:a", said="Sorry")
    second = workspace.examples.keep(QUESTION[1:], hostile, said=hostile)
    assert [one.edited for one in workspace.examples.all()] == [True, False]
    dataset = workspace.examples_to_dataset("Mine")
    assert (dataset.name, dataset.rows) == ("Mine", 2)
    assert workspace.data.conversation(dataset.id, 0) == [
        *QUESTION,
        {"role": "assistant", "content": "Sorry!"},
    ]
    assert workspace.data.conversation(dataset.id, 1)[-1]["content"] == hostile
    workspace.examples.delete(first.id)
    assert workspace.examples.all() == [second]
    with pytest.raises(NotFound, match="Reload the page"):
        workspace.examples.delete(first.id)


def test_an_example_has_a_question_and_an_answer(workspace: Workspace) -> None:
    for messages, answer in (([], "a"), (QUESTION, " "), ([{"role": "user", "content": " "}], "a")):
        with pytest.raises(BadInput, match="needs a question and an answer"):
            workspace.examples.keep(messages, answer)
    with pytest.raises(BadInput, match="100001 characters"):
        workspace.examples.keep(QUESTION, "a" * 100_001)
    with pytest.raises(BadInput, match="No example is kept yet"):
        workspace.examples_to_dataset()
