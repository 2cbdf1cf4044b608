"""Raw arguments for TRL's own config beside the options: which ones may be given, and which ones are refused and why.

Takes names and values, gives refusals. What only TRL knows (whether it has such an argument, and of what kind) is asked in
the worker ``workers.training.extra.check``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftkit.errors import FtkitError, Refused

# What ftkit sets for every run: another value would break resuming, measuring or the preparation of rows.
_OURS = frozenset(
    {
        *("output_dir", "use_cpu", "fp16", "gradient_checkpointing", "gradient_checkpointing_kwargs"),
        *(
            "save_strategy",
            "save_steps",
            "save_only_model",
            "eval_strategy",
            "eval_on_start",
            "greater_is_better",
        ),
        *("logging_nan_inf_filter", "logging_first_step", "logging_strategy", "disable_tqdm"),
        *("dataloader_pin_memory", "padding_free", "remove_unused_columns", "dataset_kwargs", "eval_packing"),
        *("auto_find_batch_size", "enable_jit_checkpoint", "ignore_data_skip", "resume_from_checkpoint"),
        *("restore_callback_states_from_checkpoint", "model_init_kwargs", "chat_template_path", "eos_token"),
        *("pad_token", "dataset_text_field", "dataset_num_proc", "truncation_mode", "shuffle_dataset"),
        *("assistant_only_loss", "do_train", "do_eval", "do_predict", "local_rank", "label_names"),
        *("prediction_loss_only", "batch_eval_metrics", "include_for_metrics"),
    }
)
# What runs foreign code, or sends or writes something elsewhere.
_DANGEROUS = re.compile(r"trust_remote_code|hub_.*|push_to_hub.*|trackio_.*|.*token$")
_PATHS = re.compile(r"(.*_)?(path|file|dir|folder|url)s?")
# Arguments that do not touch what a step computes: the fast path takes them as TRL's own path does.
_HARMLESS = frozenset(
    {
        *("adam_beta1", "adam_beta2", "adam_epsilon", "optim_args", "lr_scheduler_kwargs", "data_seed"),
        *("run_name", "project", "log_level", "log_level_replica", "eval_delay", "dataloader_drop_last"),
    }
)


def slows(extra: Mapping[str, Any]) -> bool:
    """Whether one of them may change what a step computes, so that TRL has to compute it."""
    return not extra.keys() <= _HARMLESS


def refusals(extra: Mapping[str, Any], options: frozenset[str], method: str) -> Iterator[FtkitError]:
    """Why arguments are refused by their names alone, one error for each.

    Args:
        extra: name → value.
        options: those of ``RunSpec`` that count with this method.
        method: of training.
    """
    for name, value in extra.items():
        if name in options:
            yield Refused(
                "training.extra_is_an_option",
                "extra_arguments: {name} is an option of its own. Set it there.",
                name=name,
            )
        elif _DANGEROUS.fullmatch(name):
            yield Refused(
                "training.extra_dangerous",
                "extra_arguments: {name} is not allowed: it runs foreign code, or sends something elsewhere. Take it out.",
                name=name,
            )
        elif name in _OURS or (method == "kto" and name == "train_sampling_strategy"):
            yield Refused(
                "training.extra_is_ours",
                "extra_arguments: {name} is set by ftkit itself, or has no effect here. Take it out.",
                name=name,
            )
        elif inner := next(_paths(value), None):
            yield Refused(
                "training.extra_path",
                "extra_arguments: {name} must not name files or folders ({inner}). Give the settings themselves.",
                name=name,
                inner=inner,
            )


def _paths(value: Any) -> Iterator[str]:
    """Keys inside a value that point at files."""
    if isinstance(value, list):
        for one in value:
            yield from _paths(one)
    if isinstance(value, Mapping):
        for key, one in value.items():
            if _PATHS.fullmatch(str(key)) and one:
                yield str(key)
            yield from _paths(one)
