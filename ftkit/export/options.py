"""What a run is exported to: the one definition that page, command line and worker derive from.

Frozen values only. What each target needs of the model is the worker's matter.
"""

import re
from typing import Self

from pydantic import Field, model_validator

from ftkit.errors import BadInput
from ftkit.export.targets import Precision, Push, Quantization, Server, Target
from ftkit.records import Record

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)


class ExportOptions(Record):
    """How a run is exported."""

    target: Target
    checkpoint: int | None = Field(
        default=None, description="Step of a checkpoint, instead of the run's result."
    )
    precision: Precision = Field(default="bf16", description="Of merged weights.")
    quantization: Quantization = Field(default="f16", description="Of a GGUF file.")
    repo: str = Field(default="", description="On the Hub: owner/name, or a name of one's own account.")
    private: bool = Field(default=True, description="Whether only its owner sees it on the Hub.")
    push: Push = Field(default="adapter", description="What is pushed to the Hub.")
    server: Server = Field(default="vllm", description="Which server a Docker folder starts.")

    @property
    def form(self) -> str:
        """The numbers or the program that tell it from others of its target; empty where there is one form only."""
        return {
            "merged": self.precision,
            "endpoint": self.precision,
            "triton": self.precision,
            "docker": self.server,
            "gguf": self.quantization,
            "hub": self.repo,
        }.get(self.target, "")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.target == "hub" and not self.repo.strip():
            raise BadInput("export.no_repo", "A push to the Hub needs a name: owner/name.")
        if self.repo and not _REPO.fullmatch(self.repo):
            raise BadInput(
                "export.bad_repo",
                "{repo} is no name of a repository. Write owner/name, or a name of your own account: letters, digits, dots, dashes "
                "and underscores.",
                repo=repr(self.repo),
            )
        return self
