"""What the forgetting check found: per skill the share that base and tuned model get right, and whether tuned fell.

Takes one result a question, gives a part of ``report.json``. It asks no model.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ftkit.evaluation.general.questions import SKILLS
from ftkit.evaluation.measuring.certainty import accuracy_difference

SIGNIFICANT = 0.05


class Result(NamedTuple):
    """How one question went."""

    id: str
    skill: str
    question: str
    wanted: str  # the right answer; empty where a pattern decides
    base: bool
    tuned: bool
    base_answer: str
    tuned_answer: str


def summarise(results: Sequence[Result]) -> dict[str, Any]:
    """Overall and skill by skill, and the questions that base got right and tuned did not.

    ``verdict`` is ``fell`` or ``rose`` where chance alone would hardly do that (p < 0.05, by McNemar's mid-p test; the p of a skill
    times the number of skills, after Bonferroni), else ``held``.
    """
    skills = {skill: [one for one in results if one.skill == skill] for skill in SKILLS}
    skills = {skill: ones for skill, ones in skills.items() if ones}
    return {
        "overall": _compared(results, 1),
        "skills": {skill: _compared(ones, len(skills)) for skill, ones in skills.items()},
        "lost": [one._asdict() for one in results if one.base and not one.tuned],
        "won": [one._asdict() for one in results if one.tuned and not one.base],
    }


def _compared(results: Sequence[Result], tests: int) -> dict[str, Any]:
    base = np.array([one.base for one in results], dtype=np.float64)
    tuned = np.array([one.tuned for one in results], dtype=np.float64)
    difference = accuracy_difference(base, tuned)
    p = min(1.0, (1.0 if difference.p is None else difference.p) * tests)
    fell = difference.value < 0
    return {
        "questions": len(results),
        "base": float(base.mean()),
        "tuned": float(tuned.mean()),
        "difference": difference.as_dict(),
        "verdict": "held" if p >= SIGNIFICANT else "fell" if fell else "rose",
    }
