"""The view worker: one row token by token, as the trainer gets it; one question, one answer, within a second or two.

Takes a file of rows and a model's folder, gives each token's text and what becomes of it. It imports neither torch nor
transformers.
"""

from pathlib import Path
from typing import Any

from ftkit.data.chat import RowProblem, training_row
from ftkit.data.storage import read_rows
from ftkit.models.chat_template import TemplateRefusal
from ftkit.workers.harness import answer
from ftkit.workers.training.rows import IGNORED, FastTokenizer, SourceRow, row_limit, tokenise


def view(question: dict[str, Any]) -> dict[str, Any]:
    """The tokens of a row.

    Args:
        question: ``file`` and ``model`` (paths), ``row``, ``mapping``, ``max_length``, ``completion_only_loss``.

    Returns:
        ``ids``, ``labels``, ``texts`` and ``places`` of the tokens, ``limit`` of the model and the run, ``longest``: tokens
        that it reads at once, and ``problem``: why the row cannot be trained on, or an empty text.

    Raises:
        BadInput: the model has no chat template and the row is a conversation.
    """
    model = Path(question["model"])
    limit = row_limit(model, question["max_length"])
    nothing = {"ids": [], "labels": [], "texts": [], "places": [], "limit": limit, "longest": 0}
    rows = read_rows(Path(question["file"]), question["row"], 1)
    tokenizer = FastTokenizer(model)
    try:
        row = tokenise(
            training_row(rows[0], question["mapping"]), tokenizer, question["completion_only_loss"]
        )
    except (RowProblem, TemplateRefusal) as problem:
        return {**nothing, "problem": str(problem)}
    # An encoder-decoder model reads the question and the answer apart, each up to the limit.
    sides = [row.input_ids, row.labels] if isinstance(row, SourceRow) else [row.input_ids]
    labels = [IGNORED] * len(row.input_ids) + row.labels if isinstance(row, SourceRow) else row.labels
    return {
        "ids": [id_ for side in sides for id_ in side],
        "labels": [None if label == IGNORED else label for label in labels],
        "texts": [text for side in sides for text in tokenizer.pieces(side)],
        "places": [place for side in sides for place in range(len(side))],
        "limit": limit,
        "longest": row.longest,
        "problem": "",
    }


if __name__ == "__main__":
    answer(view)
