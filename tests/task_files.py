"""A folder with task files of lm-evaluation-harness over eight local rows."""

import json
from pathlib import Path

_CHOICES = """
task: colours
dataset_path: json
dataset_kwargs: {data_files: {test: colours.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
metadata: {version: 1.0}
"""
_TEXTS = """
task: sentences
dataset_path: json
dataset_kwargs: {data_files: {test: colours.jsonl}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{question}}"
metric_list:
  - {metric: word_perplexity}
metadata: {version: 2.0}
"""
_ANSWERS = """
task: answers
dataset_path: json
dataset_kwargs: {data_files: {test: colours.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{choices[answer]}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 8, do_sample: false}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
metadata: {version: 1.0}
"""
_GROUP = """
group: everything
task: [colours]
aggregate_metric_list:
  - {metric: acc, aggregation: mean, weight_by_size: true}
metadata: {version: 1.0}
"""


def write_tasks(folder: Path) -> Path:
    """The tasks ``colours`` (choices), ``sentences`` (texts), ``answers`` (written), and the group ``everything``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "question": f"message number {n}: the parcel is",
            "choices": ["late", "high", "billing and order"],
            "answer": n % 3,
        }
        for n in range(8)
    ]
    (folder / "colours.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, text in {
        "colours": _CHOICES,
        "sentences": _TEXTS,
        "answers": _ANSWERS,
        "group": _GROUP,
    }.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder
