"""Saving and going on: a trainer's checkpoints are written aside, flushed, sealed and only then named; a run goes on from one as
if it had never been broken off.

Takes a trainer of transformers or TRL to come before. What a checkpoint has to hold and in which order is transformers' own
(``Trainer._save_checkpoint``), less what nothing reads again: the tokenizer, a form of a model card, the pickled arguments. It
chooses no checkpoint: ``choosing`` does.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from transformers import Trainer
from transformers.trainer_callback import EarlyStoppingCallback, ExportableState

from ftkit.errors import BadInput
from ftkit.failpoints import reach
from ftkit.store.disk import disk_full, has_no_room, is_full
from ftkit.store.files import flush_folder
from ftkit.workers.training.checkpoints.choosing import Checkpoint, name_of, rotate, unfinished
from ftkit.workers.training.checkpoints.manifest import Origin, Reached, seal
from ftkit.workers.training.checkpoints.randomness import Randomness, randomness, undisturbed

_STATE = "trainer_state.json"


class Keeping(NamedTuple):
    """What a trainer must know to save and to go on.

    Args:
        origin: what the run is made of.
        checkpoint: to go on from; None to begin.
        tally: what else is added up from step to step, to be kept with a checkpoint.
        flush: brings what was measured so far to the disk; called before a checkpoint gets its name.
    """

    origin: Origin
    checkpoint: Checkpoint | None
    tally: Callable[[], Mapping[str, Any]]
    flush: Callable[[], None]


class _Settled(NamedTuple):
    """The trainer after a step: what a checkpoint of that step has to hold and later steps change."""

    random: Randomness
    counted: dict[str, Any]


class Kept(Trainer):
    """Saves whole checkpoints, measures without touching what is drawn at random, and goes on exactly.

    Args:
        keeping: what it must know for that.
    """

    def __init__(self, *args: Any, keeping: Keeping, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._keeping = keeping
        self._most = self.args.save_total_limit or 0
        self.args.save_total_limit = None  # the rotation of transformers deletes in place
        self._settled: _Settled | None = None
        self._validating = False

    @property
    def _folder(self) -> Path:
        return Path(str(self.args.output_dir))

    def save_now(self) -> None:
        """Save a checkpoint of the last step that was finished, whatever has been begun since.

        Where a validation that belongs to it was broken off, resuming begins with it.
        """
        settled, measured = self._settled, not self._validating
        if settled is None or (self._folder / name_of(self.state.global_step, measured)).exists():
            return
        settled.random.restore()
        self._keep(measured, settled.counted)
        self.tidy()

    def keep_best(self) -> None:
        """Go back to the best checkpoint so far, where the run is to end with it."""
        if self.args.load_best_model_at_end and self.state.best_model_checkpoint:
            self._load_best_model()

    def tidy(self) -> None:
        """Delete the oldest checkpoints; the last one has been written by now."""
        rotate(self._folder, self._most, self.state.best_global_step)
        reach("checkpoint.rotated")

    def pick_up(self) -> None:
        """At the beginning of training: go on from the checkpoint in what transformers does not restore."""
        checkpoint = self._keeping.checkpoint
        if checkpoint is None:
            return
        best = self.state.best_global_step
        self.state.best_model_checkpoint = str(self._folder / name_of(best)) if best else None
        counted = checkpoint.reached.counted
        self._tr_loss.fill_(counted["loss"])
        self._globalstep_last_logged = counted["logged_step"]
        self._averages().update({name: list(values) for name, values in counted["averages"].items()})
        if not checkpoint.reached.validated:
            self._load_rng_state(str(checkpoint.path))
            metrics = self._evaluate(None, None)
            self._determine_best_metric(metrics, None)
            self._keep(True, self._counted())  # the one before stays: its random states are read once more
        if any(_gave_up(callback) for callback in self.callback_handler.callbacks):
            self.control.should_training_stop = True

    def _evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """A validation after which training goes on as if nothing had been measured."""
        self._validating = True  # and it stays so where a stop breaks it off
        self._settle()
        with undisturbed():
            reach("train.evaluation")
            measured: dict[str, float] = super()._evaluate(*args, **kwargs)
            reach("train.evaluated")
        self._validating = False
        return measured

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        whole: Any = self.model
        kinds = {name: weight.dtype for name, weight in whole.named_parameters()}
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        for name, weight in whole.named_parameters():
            weight.data = weight.data.to(kinds[name])  # PEFT widens an adapter that it loads to 32 bits

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        if not self.control.should_training_stop:  # it stopped early already, before the break
            super()._run_epoch(*args, **kwargs)  # type: ignore[no-untyped-call]  # transformers leaves it untyped

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        super()._maybe_log_save_evaluate(*args, **kwargs)
        self._settle()

    def _save_checkpoint(self, model: Any, trial: Any = None) -> None:
        self._keep(True, self._counted())
        self.tidy()

    def _keep(self, measured: bool, counted: Mapping[str, Any]) -> None:
        """Write a checkpoint as a whole or not at all."""
        check_finite(self.model, self.optimizer, self.state.global_step)
        self.store_flos()
        folder = self._folder
        final = folder / name_of(self.state.global_step, measured)
        self._name_best()
        fresh = unfinished(folder)
        try:
            self._write(fresh)
            self._keeping.flush()
            best = self.state.best_global_step if self.args.load_best_model_at_end else None
            seal(fresh, self._keeping.origin, Reached(self.state.global_step, measured, best, counted))
            reach("checkpoint.rename")
            fresh.rename(final)
            flush_folder(folder)
        except Exception as error:
            full = is_full(error) or has_no_room(fresh)
            shutil.rmtree(fresh, ignore_errors=True)
            if full:
                raise disk_full(folder, size_of(self.model, self.optimizer)) from error
            raise
        reach("checkpoint.renamed")

    def _write(self, fresh: Path) -> None:
        """All files of a checkpoint but its manifest."""
        model: Any = self.model
        if isinstance(model, PeftModel):
            # "auto" would ask the Hub whether the vocabulary has grown.
            model.save_pretrained(str(fresh), save_embedding_layers=False, selected_adapters=["default"])
            (fresh / "README.md").unlink(missing_ok=True)
        else:
            model.save_pretrained(fresh)
        reach("checkpoint.written")
        self._save_optimizer_and_scheduler(str(fresh))
        self._save_scaler(str(fresh))
        reach("checkpoint.written")
        self._save_rng_state(str(fresh))
        reach("checkpoint.written")
        for callback in (*self.callback_handler.callbacks, self.control):
            if isinstance(callback, ExportableState):
                self.state.stateful_callbacks[type(callback).__name__] = callback.state()  # type: ignore[index,call-overload]
        self.state.save_to_json(str(fresh / _STATE))
        reach("checkpoint.written")

    def _name_best(self) -> None:
        """Let the state say where the best checkpoint lies, be it the one that is being saved."""
        best = self.state.best_global_step
        if best and (best == self.state.global_step or (self._folder / name_of(best)).exists()):
            self.state.best_model_checkpoint = str(self._folder / name_of(best))

    def _settle(self) -> None:
        self._settled = _Settled(randomness(), self._counted())

    def _counted(self) -> dict[str, Any]:
        """What is added up from step to step, and since the last point of the curves."""
        return {
            **self._keeping.tally(),
            "loss": self._tr_loss.item(),
            "logged_step": self._globalstep_last_logged,
            "averages": {name: list(values) for name, values in self._averages().items()},
        }

    def _averages(self) -> dict[str, list[float]]:
        """What TRL's trainers take the mean of at the next point; transformers' own have nothing of the kind."""
        found: dict[str, list[float]] = getattr(self, "_metrics", {"train": {}})["train"]
        return found


def check_finite(model: Any, optimizer: Any, step: int) -> None:
    """Let no number that is none get into a checkpoint.

    Raises:
        BadInput: a weight that is trained, or what the optimizer keeps of it, is not finite.
    """
    for tensor in _changing(model, optimizer):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise BadInput(
                "training.weights_diverged",
                "After step {step} a weight is no number any more: training went astray. Nothing of it was saved; the checkpoint "
                "before is sound. Lower the learning rate.",
                step=step,
            )


def size_of(model: Any, optimizer: Any) -> int:
    """Bytes of a checkpoint."""
    return sum(tensor.numel() * tensor.element_size() for tensor in _changing(model, optimizer))


def _changing(model: Any, optimizer: Any) -> Iterator[torch.Tensor]:
    """What training changes: the trained weights, and what the optimizer keeps of them."""
    yield from (parameter for parameter in model.parameters() if parameter.requires_grad)
    for state in optimizer.state.values():
        yield from filter(torch.is_tensor, state.values())


def _gave_up(callback: Any) -> bool:
    """Whether early stopping had ended the run already."""
    return (
        isinstance(callback, EarlyStoppingCallback)
        and callback.early_stopping_patience_counter >= callback.early_stopping_patience
    )
