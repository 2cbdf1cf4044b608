"""A loaded model as lm-evaluation-harness asks it, with progress and a stop.

Takes a model, its tokenizer and loaded tasks, gives what the harness returns. It loads no model and judges nothing.
"""

from collections.abc import Sequence
from typing import Any

from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM

from ftkit.workers.harness import Worker

_BATCH = 8


class _Meter:
    """Counts answers as they come; where the harness would keep them for later."""

    def __init__(self, worker: Worker, phase: str) -> None:
        self._worker = worker
        self._phase = phase
        self._done = self._all = 0

    def begin(self, requests: Sequence[Any]) -> None:
        """So many are asked next."""
        self._done, self._all = 0, len(requests)
        self._worker.progress(self._phase, 0, self._all)

    def add_partial(self, *_: Any) -> None:
        """An answer came."""
        self._done += 1
        self._worker.progress(self._phase, self._done, self._all)

    def look(self) -> None:
        """Between two batches."""
        self._worker.raise_if_stopped()
        self._worker.advance()


class _Watched(HFLM):  # type: ignore[misc]  # lm_eval has no types
    """The harness's model around one that is loaded, which says how far it is and ends when a stop is asked for."""

    def __init__(self, meter: _Meter, **options: Any) -> None:
        super().__init__(**options)
        self._meter = meter
        self.set_cache_hook(meter)

    def loglikelihood(self, requests: Any, **more: Any) -> Any:
        """Choices and other continuations that are scored."""
        self._meter.begin(requests)
        return super().loglikelihood(requests, **more)

    def loglikelihood_rolling(self, requests: Any, **more: Any) -> Any:
        """Whole texts that are scored."""
        self._meter.begin(requests)
        return super().loglikelihood_rolling(requests, **more)

    def generate_until(self, requests: Any, **more: Any) -> Any:
        """Answers that are written."""
        self._meter.begin(requests)
        return super().generate_until(requests, **more)

    def _model_call(self, *given: Any, **more: Any) -> Any:
        self._meter.look()
        return super()._model_call(*given, **more)

    def _model_generate(self, *given: Any, **more: Any) -> Any:
        self._meter.look()
        return super()._model_generate(*given, **more)


def ask(
    worker: Worker, phase: str, loaded: tuple[Any, Any], tasks: tuple[Any, Sequence[Any]]
) -> dict[str, Any]:
    """Everything that the harness found of one model.

    Args:
        worker: with ``limit``, ``seed`` and ``chat`` among its inputs.
        phase: of the progress.
        loaded: the model and its tokenizer.
        tasks: the harness's manager, and what is asked.
    """
    model, tokenizer = loaded
    manager, asked = tasks
    seed = worker.inputs["seed"]
    watched = _Watched(_Meter(worker, phase), pretrained=model, tokenizer=tokenizer, batch_size=_BATCH)
    found: dict[str, Any] = simple_evaluate(
        watched,
        tasks=list(asked),
        task_manager=manager,
        limit=worker.inputs["limit"],
        apply_chat_template=worker.inputs["chat"],
        log_samples=True,
        confirm_run_unsafe_code=False,
        random_seed=seed,
        numpy_random_seed=seed,
        torch_random_seed=seed,
        fewshot_random_seed=seed,
    )
    return found
