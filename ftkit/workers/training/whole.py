"""The whole model that full fine-tuning leaves: a clean folder that loads like any base model.

Takes the trained model and the run's folder. It trains nothing.
"""

import shutil
from pathlib import Path
from typing import Any

from ftkit.failpoints import reach
from ftkit.store.files import replace_folder

# What belongs to a model besides its weights and config.
_BESIDE = (
    "tokenizer*",
    "special_tokens_map.json",
    "chat_template*",
    "vocab*",
    "merges.txt",
    "*.model",
    "model.json",
)


def save(model: Any, run: Path, base: Path) -> None:
    """Write ``model/`` of a run as a whole, in place of one that an earlier start left.

    Args:
        model: trained.
        run: folder of the run.
        base: folder of the model that it was made from; its tokenizer and chat template are copied.
    """
    fresh, final = run / ".model.part", run / "model"
    shutil.rmtree(fresh, ignore_errors=True)
    model.save_pretrained(fresh)
    for pattern in _BESIDE:
        for path in base.glob(pattern):
            if path.is_file() and not (fresh / path.name).exists():
                shutil.copyfile(path, fresh / path.name)
    reach("result.save")
    replace_folder(fresh, final)
