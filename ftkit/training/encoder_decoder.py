"""What a run of an encoder-decoder model (the T5 kind) takes, and what it cannot do.

Takes a spec, the model's shape and row lengths, gives bytes, parameters and refusals. Pure: it measures nothing. The
constants of memory were fitted to runs of Flan-T5-small's shape (see the tests).
"""

from collections.abc import Mapping

from ftkit.errors import Refused
from ftkit.records import Model
from ftkit.training.spec import RunSpec

# Names of linear layers in T5 and its kind.
_ATTENTION = frozenset({"q", "k", "v", "o"})
_FEED_FORWARD = frozenset({"wi", "wi_0", "wi_1", "wo"})
# Values that a layer keeps for the way back: for each token, in widths of the model (a decoder layer also attends to the
# encoder) and of its inner layer; and of each score between two tokens, what softmax, position and dropout make of it.
_ENCODER_WIDTHS, _DECODER_WIDTHS, _INNER_WIDTHS, _SCORE_COPIES = 12, 20, 5.5, 4
# Scores over the vocabulary of each answer token, their softmax and gradients, in 32 bits.
_LOGITS_BYTES = 18.4
# Bytes of a value: 32 bits, and what is freed after a step and kept for the next one.
_VALUE_BYTES = 4.6


def check(spec: RunSpec, mapping: Mapping[str, str], model: Model) -> None:
    """Make sure that nothing is asked for that such a model cannot do.

    Args:
        spec: the run.
        mapping: role → column of the rows.
        model: the base model, of any kind.

    Raises:
        Refused: something is; the sentence says what to do instead.
    """
    if not model.encoder_decoder:
        return
    if spec.method != "sft":
        raise Refused(
            "training.encoder_method",
            "{model} is an encoder-decoder model, and {method} cannot train those. Set method to sft, or choose a chat model.",
            model=model.name,
            method=spec.method,
        )
    answered = "messages" in mapping or {"prompt", "completion"} <= mapping.keys()
    if "text" in mapping and not answered:
        raise Refused(
            "training.encoder_text",
            "{model} reads a question and writes an answer, and these rows are one text each. Choose columns for question "
            "and answer on the Data page, or a model that goes on with texts.",
            model=model.name,
        )
    if spec.packing:
        raise Refused(
            "training.encoder_packing",
            "{model} is an encoder-decoder model: its rows cannot be joined into blocks. Turn packing off.",
            model=model.name,
        )
    if not spec.completion_only_loss:
        raise Refused(
            "training.encoder_loss",
            "{model} only reads the question and never writes it, so only answers can be learned. Turn completion_only_loss on.",
            model=model.name,
        )


def adapter_parameters(spec: RunSpec, model: Model) -> int:
    """Trainable parameters of LoRA: r · (inputs + outputs), summed over the layers that get an adapter."""
    shape = model.architecture
    hidden, inner, width = shape["hidden"], shape["intermediate"], shape["key_value"]
    names = spec.target_names()
    every = isinstance(names, str)
    attention = (4 if every else len(_ATTENTION & {*names})) * (hidden + width)
    # A feed-forward layer has three matrices where it is gated, as in all but the oldest T5, else two.
    feed_forward = (3 if every else len(_FEED_FORWARD & {*names})) * (hidden + inner)
    encoder, decoder = shape["layers"], shape["decoder_layers"]
    return spec.r * (encoder * (attention + feed_forward) + decoder * (2 * attention + feed_forward))


def activations(spec: RunSpec, model: Model, asked: int, answered: int) -> float:
    """Bytes that a step keeps for the way back.

    Args:
        spec: the run.
        model: the base model.
        asked: tokens of the longest question.
        answered: tokens of the longest answer.
    """
    shape = model.architecture
    inner = _INNER_WIDTHS * shape["intermediate"]
    heads = _SCORE_COPIES * shape["heads"]
    encoder = asked * (_ENCODER_WIDTHS * shape["hidden"] + inner) + heads * asked**2
    decoder = answered * (_DECODER_WIDTHS * shape["hidden"] + inner) + heads * answered * (answered + asked)
    rows = spec.per_device_train_batch_size * _VALUE_BYTES
    if not spec.activation_checkpointing:
        return rows * (shape["layers"] * encoder + shape["decoder_layers"] * decoder)
    kept = shape["hidden"] * (shape["layers"] * asked + shape["decoder_layers"] * answered)
    return rows * (kept + max(encoder, decoder))


def logits(spec: RunSpec, model: Model, answered: int) -> float:
    """Bytes of the scores over the vocabulary, which only the tokens of answers have."""
    return spec.per_device_train_batch_size * answered * _LOGITS_BYTES * model.architecture["vocabulary"]
