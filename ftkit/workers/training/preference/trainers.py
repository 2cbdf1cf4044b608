"""TRL's trainers for preferences over rows that are token ids already.

Takes models, arguments and rows of ``preference.rows``. It computes no loss of its own.
"""

from typing import Any

from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_trainer import KTOTrainer

from ftkit.workers.training.trainer import Watched


class PairTrainer(Watched, DPOTrainer):
    """Direct preference optimisation on pairs of answers."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


class MarkedTrainer(Watched, KTOTrainer):
    """Kahneman-Tversky optimisation on answers that are marked as good or bad."""

    def _prepare_dataset(self, dataset: Any, _processing_class: Any, args: Any, _name: str) -> Any:
        """With the answers of each batch moved on by one row, from which KTO estimates how far the model has moved."""
        return dataset.map(
            lambda rows: {"KL_completion_ids": [rows["completion_ids"][-1], *rows["completion_ids"][:-1]]},
            batched=True,
            batch_size=args.per_device_train_batch_size,
        )
