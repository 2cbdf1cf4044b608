"""A group of commands with one that need not be named.

Takes the arguments of a group, gives them with ``start`` in front where they name no command of it.
"""

from typing import Any

from typer.core import TyperGroup


class StartsByDefault(TyperGroup):
    """``ftkit judge EVALUATION …`` is ``ftkit judge start EVALUATION …``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front where none is named."""
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["start", *args]
        return super().parse_args(ctx, args)
