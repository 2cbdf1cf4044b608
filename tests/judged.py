"""A finished evaluation to be judged: records and rows, without the minutes of measuring."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ftkit.records import Evaluation
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, write_json
from tests.finished_run import NOW

EVALUATION = "eval1"


def judged_row(row: int, **changes: Any) -> dict[str, Any]:
    """One row whose tuned answer is the good one."""
    return {
        "row": row,
        "system": "Be brief.",
        "prompt": f"question {row}.",
        "reference": f"reference {row}",
        "base_answer": f"bad {row}",
        "tuned_answer": f"good {row}",
        "base_exact_match": 0.0,
        "tuned_exact_match": float(row % 2),
        **changes,
    }


def add_evaluation(artefacts: Artefacts, folders: Folders, rows: list[dict[str, Any]]) -> Evaluation:
    """Records and files of an evaluation with these rows."""
    folder = folders.evaluation(EVALUATION)
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "samples.parquet")
    write_json(folder / "report.json", {"rows": len(rows)})
    evaluation = Evaluation(
        id=EVALUATION,
        name="First · test",
        created_at=NOW,
        content_hash="sha256:e1",
        run="run1",
        split="s1",
        part="test",
    )
    artefacts.add(evaluation)
    return evaluation
