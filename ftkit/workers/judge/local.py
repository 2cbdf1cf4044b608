"""Asking a model of this machine for verdicts, in batches and greedily.

Takes the calls that are to be made, writes each outcome on the desk. It sends nothing anywhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from ftkit.errors import Refused
from ftkit.evaluation.judge.counting import Call
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.workers.generation import answer_all, room_for_answer
from ftkit.workers.harness import Worker
from ftkit.workers.judge.desk import Desk, Failed, Reply
from ftkit.workers.loading import chat_ids, load_model, load_tokenizer

# Small models do not keep to a form by being told: each reply is begun for them, and what follows is theirs.
_BEGINNING = '{"reason": "'


def ask_model(worker: Worker, options: JudgeOptions, folder: Path, calls: Sequence[Call], desk: Desk) -> None:
    """Ask for all of them; those that the model cannot read are given up as too long.

    Raises:
        Refused: the model has no chat template, so that nobody can tell it what to do.
        Stopped: a stop was asked for.
    """
    worker.progress("loading")
    tokenizer = load_tokenizer(folder)
    if not tokenizer.chat_template:
        raise Refused(
            "judge.no_template",
            "{model} has no chat template, so that it cannot be told what to judge. Choose a model that was trained to follow "
            "instructions.",
            model=options.model,
        )
    model = load_model(folder)
    desk.begin(len(calls), waits_for_others=False)
    begun = tokenizer.encode(_BEGINNING, add_special_tokens=False)
    readable, prompts = [], []
    for call in calls:
        prompt = _prompt(tokenizer, desk.ask(call)) + begun
        if room_for_answer(model, len(prompt)) < options.max_tokens:
            desk.give_up(call, Failed("too_long", f"{len(prompt):,} tokens leave no room for a verdict"))
        else:
            readable.append(call)
            prompts.append(prompt)
    for index, answer in answer_all(
        model, tokenizer, prompts, options.max_tokens, _ignore, worker.stop_asked
    ):
        desk.take(readable[index], Reply(_BEGINNING + answer.text, len(prompts[index]), answer.tokens))
    worker.raise_if_stopped()


def _prompt(tokenizer: Any, asked: list[dict[str, str]]) -> list[int]:
    """Token ids; where a template takes no system message, its text stands before the question."""
    try:
        return chat_ids(tokenizer, asked, add_generation_prompt=True)
    except TemplateError:
        together = "\n\n".join(one["content"] for one in asked)
        return chat_ids(tokenizer, [{"role": "user", "content": together}], add_generation_prompt=True)


def _ignore(_: int) -> None:
    """The desk counts."""
