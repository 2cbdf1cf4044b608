"""Which models read a whole question first and then write the answer (encoder-decoder), and which go on with a text.

Takes a model's folder, tells its kind from ``config.json``. It loads no weights.
"""

import json
from pathlib import Path

# Encoder-decoder models that take any text as it stands: others need a language or a task told in their own way.
ENCODER_DECODER = frozenset({"t5", "mt5", "umt5"})


def is_encoder_decoder(folder: Path) -> bool:
    """Whether the model in a folder is of the T5 kind; a folder without a config is not."""
    config = folder / "config.json"
    if not config.exists():
        return False
    return json.loads(config.read_bytes()).get("model_type") in ENCODER_DECODER
