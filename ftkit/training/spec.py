"""Every option of a run, once: the form, YAML, command line, help texts and docs derive from ``RunSpec``.

Names are TRL's, transformers' and PEFT's own. A field's title and description are its English label and help; ``unit``,
``group`` and ``level`` say where and how the form shows it. The options stand in ``training/options/``, by subject; here are
the rules between them. It does not know TRL: ``workers/training/arguments.py`` passes it on.
"""

import re
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic.fields import FieldInfo

from ftkit.errors import BadInput, FtkitError
from ftkit.training.checks.extra import refusals, slows
from ftkit.training.option import needs
from ftkit.training.options.adapter import AdapterOptions
from ftkit.training.options.data import DataOptions
from ftkit.training.options.model import ModelOptions
from ftkit.training.options.preference import PreferenceOptions
from ftkit.training.options.publish import PublishOptions
from ftkit.training.options.schedule import ScheduleOptions
from ftkit.training.options.watch import MEASURED, WatchOptions

# An owner and a name as the Hub takes them; without an owner it is the account of the token.
_REPOSITORY = re.compile(r"(?!.*(--|\.\.|\.git$))([A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9_][\w.-]{0,94}[\w]")


# The order of the form is that of the bases, last to first.
class RunSpec(
    PublishOptions,
    WatchOptions,
    DataOptions,
    PreferenceOptions,
    AdapterOptions,
    ScheduleOptions,
    ModelOptions,
):
    """One fine-tuning run as values."""

    @model_validator(mode="after")
    def _packing_needs_length(self) -> Self:
        if self.packing and self.max_length > 8192:  # noqa: PLR2004 - a packed block is one dense row
            raise ValueError("packing: blocks of more than 8192 tokens do not fit; lower max_length")
        return self

    @model_validator(mode="after")
    def _quantised_weights_need_an_adapter(self) -> Self:
        if self.quantised and not self.use_peft:
            raise ValueError("use_peft: weights in 4 or 8 bits cannot be trained; turn use_peft on")
        if self.load_in_4bit and self.load_in_8bit:
            raise ValueError("load_in_8bit: weights are kept in 4 bits or in 8, not in both")
        if self.start_from_run and not self.use_peft:
            raise ValueError(
                "start_from_run: a run's adapter can only be trained further with a LoRA adapter"
            )
        return self

    @model_validator(mode="after")
    def _kto_needs_pairs_in_a_batch(self) -> Self:
        if self.method == "kto" and self.per_device_train_batch_size < 2:  # noqa: PLR2004 - compared with each other
            raise ValueError("per_device_train_batch_size: kto compares rows of a batch; use 2 or more")
        return self

    @model_validator(mode="after")
    def _the_best_is_measured(self) -> Self:
        if self.load_best_model_at_end and self.metric_for_best_model not in MEASURED[self.method]:
            raise ValueError(f"metric_for_best_model: {self.method} does not measure it; use eval_loss")
        return self

    @model_validator(mode="after")
    def _stopping_early_needs_the_best(self) -> Self:
        if self.early_stopping_patience and not self.load_best_model_at_end:
            raise ValueError("early_stopping_patience: stopping early needs load_best_model_at_end")
        return self

    @model_validator(mode="after")
    def _an_upload_needs_a_repository(self) -> Self:
        if self.push_to_hub and not _REPOSITORY.fullmatch(self.hub_model_id):
            raise ValueError(
                "hub_model_id: give a name of a repository, e.g. my-model or my-organisation/my-model"
            )
        return self

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Make a spec from untyped values, e.g. of YAML or a form.

        Raises:
            BadInput: with every mistake at once, one per line.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [
                _problem(".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, "))
                for e in error.errors()
            ]
            raise BadInput("training.bad_spec", "{problems}", problems="\n".join(problems)) from error

    @property
    def quantised(self) -> bool:
        """Whether the frozen weights are kept in 4 or 8 bits."""
        return self.load_in_4bit or self.load_in_8bit

    @property
    def more_is_better(self) -> bool:
        """Whether the checkpoint with the highest metric is the best: of all metrics but the loss."""
        return self.metric_for_best_model != "eval_loss"

    @property
    def may_be_fast(self) -> bool:
        """Whether the fast path is wanted and knows what is asked for; DoRA and quantised layers compute in other ways."""
        plain_adapter = self.use_peft and not self.use_dora and not self.quantised
        plain_rows = self.method == "sft" and not self.packing and not self.activation_checkpointing
        return self.fast_path and plain_adapter and plain_rows and not slows(self.extra_arguments)

    def extra_refusals(self) -> list[FtkitError]:
        """Why some of ``extra_arguments`` are refused by their names alone."""
        counting = {name for name, field in RunSpec.model_fields.items() if self._counts(field)}
        return list(refusals(self.extra_arguments, frozenset(counting), self.method))

    def _counts(self, field: FieldInfo) -> bool:
        """Whether an option has to do with this method."""
        rule = needs(field)
        return rule.get("option") != "method" or self.method in rule["values"]

    def target_names(self) -> str | list[str]:
        """``target_modules`` as PEFT takes it."""
        names = [name.strip() for name in self.target_modules.split(",") if name.strip()]
        return names[0] if names == ["all-linear"] else names


def _problem(place: str, message: str) -> str:
    """A mistake with its option before it; a rule over several options names one itself."""
    return message if not place or message.startswith(f"{place}: ") else f"{place}: {message}"
