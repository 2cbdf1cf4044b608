"""The study worker: every prompt of a rating study answered by every side, kept for people to rate.

Takes ``inputs.json`` (prompts, sides, sampling), appends ``answers.jsonl`` as the models speak and writes ``report.json`` last.
Started again after a stop or a kill, it asks only what is missing. It shows nobody an answer and makes no items.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import PreTrainedTokenizerBase

from ftkit.errors import Refused
from ftkit.jobs.folder import append_lines, read_lines
from ftkit.models.chat_template import TemplateRefusal
from ftkit.store.files import flush_file, write_json
from ftkit.workers import loading
from ftkit.workers.answers.drawing import Draw
from ftkit.workers.evaluation.asking import RowCounter
from ftkit.workers.evaluation.sides import Panel, Side, groups, load_group
from ftkit.workers.generation import answer_batch, batches, context_length, room_for_answer
from ftkit.workers.harness import Worker, run
from ftkit.workers.training.rows import FastTokenizer

_TOO_LONG = "longer than the {context} tokens that the model can read"


class Ask(NamedTuple):
    """A prompt in tokens; ``number`` is its place among the prompts."""

    number: int
    ids: list[int]


class Study:
    """The answers of one study: what is known of them, and the asking for the others."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._prompts: list[Mapping[str, Any]] = worker.inputs["prompts"]
        self._sampling: Mapping[str, Any] = worker.inputs["sampling"]
        self._file = worker.path / "answers.jsonl"
        self._known = {(line["prompt"], line["side"]) for line in read_lines(self._file) if "text" in line}
        self._left_out: dict[tuple[int, str], str] = {}
        sides = worker.inputs["sides"]
        self.bases: dict[Path, list[Side]] = {}
        for side in sides:
            self.bases.setdefault(Path(side["model"]), []).append(_side(side))
        wanted = len(sides) * len(self._prompts)
        self._counter = RowCounter(worker, "generating", wanted, wanted - len(self._known))

    def answer(self) -> dict[str, Any]:
        """Ask all sides; gives the report."""
        began = time.monotonic()
        for base, sides in self.bases.items():
            self._worker.progress("loading")
            prompts = self._encoded(base, sides)
            for group in groups(sides):
                self._ask_group(base, group, prompts)
        if not self._known:
            raise Refused(
                "study.no_answers",
                "None of the {prompts} prompts can be asked ({reason}). Choose other prompts.",
                prompts=len(self._prompts),
                reason="; ".join(sorted(set(self._left_out.values()))),
            )
        if self._file.exists():
            flush_file(self._file)
        return {
            "seconds": round(time.monotonic() - began, 3),
            "answers": len(self._known),
            "prompts": len(self._prompts),
            "left_out": len(self._left_out),
            "left_out_prompts": [
                {"prompt": prompt, "side": side, "reason": reason}
                for (prompt, side), reason in sorted(self._left_out.items())
            ],
        }

    def _encoded(self, base: Path, sides: Sequence[Side]) -> list[Ask]:
        """The prompts that the template takes; of the others it is noted why."""
        encode = FastTokenizer(base)
        found = []
        for number, prompt in enumerate(self._prompts):
            try:
                found.append(Ask(number, _ids(prompt, encode)))
            except TemplateRefusal as refusal:
                self._left_out |= {(number, side.name): str(refusal) for side in sides}
        return found

    def _missing(self, side: Side, prompts: Sequence[Ask]) -> list[Ask]:
        return [ask for ask in prompts if (ask.number, side.name) not in self._known]

    def _ask_group(self, base: Path, group: Sequence[Side], prompts: Sequence[Ask]) -> None:
        if not any(self._missing(side, prompts) for side in group):
            return
        self._worker.progress("loading")
        panel, tokenizer = load_group(base, group), loading.load_tokenizer(base)
        fitting = self._fitting(panel.model, group, prompts)
        open_ = [side for side in group if self._missing(side, fitting)]
        mixing = panel.mixing(open_)
        for together in [mixing, *([side] for side in open_ if side not in mixing)]:
            if together:
                self._ask(panel, tokenizer, together, fitting)
        del panel
        loading.give_back_memory()

    def _fitting(self, model: Any, group: Sequence[Side], prompts: Sequence[Ask]) -> list[Ask]:
        """The prompts that leave room for an answer; of the others it is noted that they do not."""
        fitting = [ask for ask in prompts if room_for_answer(model, len(ask.ids)) >= 1]
        reason = _TOO_LONG.format(context=context_length(model))
        for number in {ask.number for ask in prompts} - {ask.number for ask in fitting}:
            self._left_out |= {(number, side.name): reason for side in group}
        return fitting

    def _ask(
        self,
        panel: Panel,
        tokenizer: PreTrainedTokenizerBase,
        sides: Sequence[Side],
        prompts: Sequence[Ask],
    ) -> None:
        """Ask these sides together: what is asked of a prompt goes into one batch for all of them."""
        missing = {side: {ask.number for ask in self._missing(side, prompts)} for side in sides}
        asked = [ask for ask in prompts if any(ask.number in numbers for numbers in missing.values())]
        self._counter.go_on()
        limit = self._sampling["max_new_tokens"]
        for batch in batches([len(ask.ids) for ask in asked], limit, times=len(sides)):
            rows = [
                (asked[index], side)
                for index in batch
                for side in sides
                if asked[index].number in missing[side]
            ]
            self._ask_batch(panel, tokenizer, rows, mixed=len(sides) > 1)
            self._worker.raise_if_stopped()

    def _ask_batch(
        self,
        panel: Panel,
        tokenizer: PreTrainedTokenizerBase,
        rows: Sequence[tuple[Ask, Side]],
        *,
        mixed: bool,
    ) -> None:
        for place, answer in self._answers(panel, tokenizer, rows, mixed=mixed):
            ask, side = rows[place]
            append_lines(self._file, [{"prompt": ask.number, "side": side.name, **answer._asdict()}])
            self._known.add((ask.number, side.name))
            self._counter.more(1)

    def _answers(
        self,
        panel: Panel,
        tokenizer: PreTrainedTokenizerBase,
        rows: Sequence[tuple[Ask, Side]],
        *,
        mixed: bool,
    ) -> Iterator[tuple[int, Any]]:
        sampling = self._sampling
        draw = Draw(
            sampling["temperature"], sampling["top_p"], sampling["seed"], [ask.number for ask, _ in rows]
        )
        prompts, limit = [ask.ids for ask, _ in rows], sampling["max_new_tokens"]
        adapters = panel.adapters([side for _, side in rows]) if mixed else None
        if mixed:
            yield from answer_batch(
                panel.model, tokenizer, prompts, limit, self._stop_asked, adapters, sampler=draw
            )
            return
        with panel.as_side(rows[0][1]) as model:
            yield from answer_batch(model, tokenizer, prompts, limit, self._stop_asked, sampler=draw)

    def _stop_asked(self) -> bool:
        """Looked at after each token: so long the work gets on."""
        self._worker.advance()
        return self._worker.stop_asked()


def answer_study(worker: Worker) -> dict[str, Any]:
    """Answer everything that is not known; the result's metrics say how much there is, and what could not be asked."""
    report = Study(worker).answer()
    write_json(worker.path / "report.json", report)
    return {name: report[name] for name in ("seconds", "answers", "left_out")}


def _side(value: Mapping[str, Any]) -> Side:
    """Nothing of an adapter is the base model, also where an adapter of no strength would not be, as with DoRA."""
    folder, strength = value["tuned"], float(value.get("strength", 1.0))
    tuned = Path(folder) if folder and strength else None
    if tuned is not None and strength != 1 and not loading.is_adapter(tuned):
        raise Refused(
            "study.whole_model_strength",
            "{side} is a whole model: only an adapter has a strength. Choose it without one.",
            side=value["name"],
        )
    return Side(value["name"], tuned, strength)


def _ids(prompt: Mapping[str, Any], encode: FastTokenizer) -> list[int]:
    """What a model is given: a conversation open for the answer, or a plain text as it stands."""
    if prompt.get("plain"):
        return encode.text(prompt["messages"][-1]["content"])
    return encode.chat(prompt["messages"], add_generation_prompt=True)


if __name__ == "__main__":
    run(answer_study)
