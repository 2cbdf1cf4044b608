"""A recipe from elsewhere: its options, and the names in it that are none.

Takes YAML text, gives values as they stand there. Whether a value is right, ``RunSpec`` says.
"""

import difflib
from collections.abc import Iterable
from typing import Any

from ftkit.errors import BadInput, FtkitError
from ftkit.training.checks.lines import parse_yaml
from ftkit.training.spec import RunSpec


def read_options(text: str) -> tuple[dict[str, Any], list[FtkitError]]:
    """The options that stand in a recipe, and one error for each name that is no option.

    Raises:
        BadInput: it is no YAML of 'option: value' lines.
    """
    values = parse_yaml(text)
    known = {name: value for name, value in values.items() if name in RunSpec.model_fields}
    return known, unknown_options(values)


def unknown_options(names: Iterable[str]) -> list[FtkitError]:
    """An error for each name that is no option, with the option that was probably meant."""
    return [_unknown(name) for name in names if name not in RunSpec.model_fields]


def _unknown(name: str) -> FtkitError:
    options = list(RunSpec.model_fields)
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    if near:
        return BadInput(
            "training.unknown_option",
            "{name}: there is no such option. Did you mean {near}?",
            name=name,
            near=near[0],
        )
    return BadInput(
        "training.unlike_any_option",
        "{name}: there is no such option. There are: {known}.",
        name=name,
        known=", ".join(options),
    )
