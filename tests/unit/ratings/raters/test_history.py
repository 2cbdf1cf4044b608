"""Somebody who changes the database by hand is found out."""

import uuid

import pytest
import sqlalchemy as sa

from tests.studied import open_study, whole


@pytest.fixture
def study(workspace):
    study, [token] = open_study(workspace, prompts=4, overlap=1)
    told = workspace.raters.task(token)
    while told["state"] == "task":
        told = workspace.raters.submit(token, told["task"]["id"], str(uuid.uuid4()), whole(told), 1.0)["next"]
    assert workspace.studies.verify(study) == (4, None)
    return study


@pytest.mark.parametrize(
    ("statement", "changes", "broken"),
    [
        ("""UPDATE rating_changes SET "values" = '{"choice": "tie"}' WHERE number = 2""", 2, 2),
        ("UPDATE rating_changes SET rater = 'x' WHERE number = 3", 3, 3),
        ("UPDATE rating_changes SET seconds = 9 WHERE number = 4", 4, 4),
        ("UPDATE rating_changes SET hash = 'x' WHERE number = 1", 1, 1),
        ("DELETE FROM rating_changes WHERE number = 2", 2, 2),
        ("DELETE FROM rating_changes WHERE number = 4", 3, 4),
    ],
)
def test_a_changed_line_of_the_history_is_found(workspace, study, statement, changes, broken):
    with workspace._database.write() as connection:
        connection.execute(sa.text(statement))
    assert workspace.studies.verify(study) == (changes, broken)


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE ratings SET "values" = '{"choice": "tie"}' WHERE assignment = :task""",
        "DELETE FROM ratings WHERE assignment = :task",
    ],
)
def test_a_rating_that_does_not_follow_the_history_is_found(workspace, study, statement):
    third = workspace.studies.history(study)[2]
    with workspace._database.write() as connection:
        connection.execute(sa.text(statement), {"task": third["assignment"]})
    assert workspace.studies.verify(study) == (4, 3)
