"""Raw arguments checked against TRL's own config, which only a worker can import.

Takes specs, gives refusals; remembers what TRL said of the same arguments. It starts no run.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

from ftkit.errors import FtkitError, Refused
from ftkit.jobs.call import call_worker
from ftkit.training.spec import RunSpec


class ExtraCheck:
    """Asks TRL, once for each set of arguments."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._remembered = lru_cache(maxsize=64)(self._ask)

    def refusals(self, spec: RunSpec, encoder_decoder: bool) -> list[FtkitError]:
        """What is wrong with the raw arguments, one error for each."""
        found = spec.extra_refusals()
        refused = {error.values["name"] for error in found}
        left = {name: value for name, value in spec.extra_arguments.items() if name not in refused}
        if left:
            found += self._remembered(spec.method, encoder_decoder, json.dumps(left, sort_keys=True))
        return found

    def _ask(self, method: str, encoder_decoder: bool, arguments: str) -> list[FtkitError]:
        question = {
            "method": method,
            "encoder_decoder": encoder_decoder,
            "extra_arguments": json.loads(arguments),
        }
        answer = call_worker("training.extra.check", question, self._environment)
        return [Refused.from_dict(error) for error in answer]
