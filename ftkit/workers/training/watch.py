"""What the page sees of a training run: curves, progress, time left; and the way a person's stop reaches the trainer.

A callback of the trainer; takes its events, writes through the worker. It computes no loss.
"""

import resource
import sys
import time
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from ftkit.failpoints import reach
from ftkit.workers.harness import Worker
from ftkit.workers.training.trainer import Watched, check_gradient

_MEGABYTE = 1024**2
# How often, and by how much, the better answer is preferred; only where preferences are learned.
_REWARDS = {"rewards/accuracies": "reward_accuracy", "rewards/margins": "reward_margin"}
# What a validation measures, by its name there and in ``metrics.jsonl``.
MEASURED_AS = {
    "eval_loss": "eval_loss",
    "eval_mean_token_accuracy": "eval_token_accuracy",
    **{f"eval_{name}": f"eval_{own}" for name, own in _REWARDS.items()},
}


class Watch(TrainerCallback):
    """Writes measurements and progress, and stops the trainer when the worker was asked to.

    Args:
        worker: to write through.
        earlier: what an earlier start of this run had counted at the checkpoint that it goes on from, or nothing.
    """

    def __init__(self, worker: Worker, earlier: dict[str, Any]) -> None:
        self._worker = worker
        self._tokens_before = int(earlier.get("tokens", 0))
        self._seconds_before = float(earlier.get("train_seconds", 0.0))
        self._seconds = 0.0
        self._step_began = 0.0
        self._began = 0.0
        self._first_step = 0
        self._logged = (0, 0.0)
        self.trainer: Watched
        self.fast = False

    @property
    def tokens(self) -> int:
        """Real tokens trained on since the run first began."""
        return self._tokens_before + self.trainer.tokens

    @property
    def seconds(self) -> float:
        """Seconds spent in steps since the run first began, without validation and saving."""
        return self._seconds_before + self._seconds

    def counted(self) -> dict[str, Any]:
        """What a checkpoint has to keep of this."""
        return {"tokens": self.tokens, "train_seconds": round(self.seconds, 3)}

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Show the beginning."""
        self.trainer.pick_up()
        self._began = time.monotonic()
        self._first_step = state.global_step
        self._worker.progress("training", state.global_step, state.max_steps)

    def on_step_begin(self, *_args: Any, **_: Any) -> None:
        """Start the clock of a step."""
        self._step_began = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Stop the clock, show progress, and stop the trainer if a stop was asked for."""
        self._seconds += time.monotonic() - self._step_began
        per_step = (time.monotonic() - self._began) / (state.global_step - self._first_step)
        left = per_step * (state.max_steps - state.global_step)
        self._worker.progress("training", state.global_step, state.max_steps, seconds_left=round(left, 1))
        reach("train.step")
        if self._worker.stop_asked():
            # At the end of a step: only there a resumed run goes on exactly as an uninterrupted one.
            control.should_save = True
            control.should_training_stop = True

    def on_prediction_step(self, *_args: Any, **_: Any) -> None:
        """A validation may take longer than any step: say that it gets on."""
        self._worker.advance()

    def on_train_end(self, *_args: Any, **_: Any) -> None:
        """Leave no more checkpoints than were asked for."""
        self.trainer.tidy()

    def on_log(
        self,
        args: Any,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write a point of the curves.

        Raises:
            BadInput: the gradient is no number, or there is none.
        """
        if logs is None:
            return
        if "eval_loss" in logs:
            named = {own: float(logs[name]) for name, own in MEASURED_AS.items() if name in logs}
            self._worker.measure(step=state.global_step, **named)
        elif "loss" in logs:
            check_gradient(float(logs["grad_norm"]), float(logs["loss"]), state.global_step)
            self._worker.measure(
                step=state.global_step,
                epoch=round(logs["epoch"], 4),
                loss=float(logs["loss"]),
                learning_rate=float(logs["learning_rate"]),
                grad_norm=float(logs["grad_norm"]),
                tokens=self.tokens,
                tokens_per_second=self._speed(),
                train_seconds=round(self.seconds, 3),
                memory_mb=memory_mb(),
                **{own: float(logs[name]) for name, own in _REWARDS.items() if name in logs},
            )

    def _speed(self) -> float:
        """Tokens per second since the last point."""
        tokens, seconds = self._logged
        self._logged = (self.trainer.tokens, self._seconds)
        return round((self.trainer.tokens - tokens) / max(self._seconds - seconds, 1e-9), 2)


def memory_mb() -> int:
    """Memory in use: of the graphics card where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.memory_allocated() // _MEGABYTE
    return int(psutil.Process().memory_info().rss) // _MEGABYTE


def peak_memory_mb() -> int:
    """The most memory that was in use so far."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() // _MEGABYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (
        peak // _MEGABYTE if sys.platform == "darwin" else peak // 1024
    )  # bytes on macOS, kilobytes elsewhere
