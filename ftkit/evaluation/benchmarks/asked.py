"""What a benchmark is asked for: names of tasks, perhaps a folder with task files of one's own, how many rows.

Takes what a person typed, gives ``Asked`` or says what is wrong with it. It reads the task files as text alone: whether
lm-evaluation-harness knows a task and finds its data shows in the worker.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ftkit.errors import BadInput

# No slash: lm-evaluation-harness takes a path for the task file behind it.
_NAME = re.compile(r"\w[\w.+:-]{0,199}")
_SUFFIXES = (".yaml", ".yml")
_PLAIN = "tag:yaml.org,2002:"


class Asked(NamedTuple):
    """What is measured.

    ``tasks`` are tasks, groups or tags of lm-evaluation-harness or of ``folder``; ``limit`` is how many of the first rows of each
    task are asked, all where None; ``chat`` puts each question through the model's chat template.
    """

    tasks: tuple[str, ...]
    folder: Path | None = None
    limit: int | None = None
    chat: bool = False

    @classmethod
    def parse(
        cls, tasks: Iterable[str], folder: Path | None = None, limit: int | None = None, chat: bool = False
    ) -> "Asked":
        """From what a person typed.

        Raises:
            BadInput: a name, the limit or the folder cannot be used.
        """
        names = tuple(dict.fromkeys(name.strip() for name in tasks if name.strip()))
        if not names:
            raise BadInput("benchmark.no_task_named", "Name at least one task, such as arc_easy.")
        for name in names:
            if not _NAME.fullmatch(name):
                raise BadInput(
                    "benchmark.bad_name",
                    "{name} is no name of a task. Names have letters, digits and . _ + : - only, such as arc_easy.",
                    name=repr(name),
                )
        if limit is not None and limit < 1:
            raise BadInput(
                "benchmark.bad_limit",
                "The limit is {limit}. Give at least 1, or none for all rows.",
                limit=limit,
            )
        return cls(names, check_folder(folder) if folder is not None else None, limit, chat)

    def as_json(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "tasks": list(self.tasks),
            "tasks_folder": str(self.folder) if self.folder else None,
            "limit": self.limit,
            "chat": self.chat,
        }


def check_folder(folder: Path) -> Path:
    """The folder as a whole path, where its task files are plain data.

    Raises:
        BadInput: there is no task file, or one would run Python code or reads a file outside the folder.
    """
    root = folder.expanduser().resolve()
    files = sorted(file for suffix in _SUFFIXES for file in root.rglob(f"*{suffix}"))
    if not files:
        raise BadInput(
            "benchmark.no_files",
            "{folder} holds no task file (*.yaml). Name the folder in which the task files lie.",
            folder=folder,
        )
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                "benchmark.unreadable",
                "The task file {file} cannot be read ({reason}). Correct it, or take it out of the folder.",
                file=file.name,
                reason=error.strerror if isinstance(error, OSError) else "not UTF-8 text",
            ) from error
        _check_text(file, text, root)
    return root


def _check_text(file: Path, text: str, root: Path) -> None:
    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInput(
            "benchmark.unreadable",
            "The task file {file} cannot be read ({reason}). Correct it, or take it out of the folder.",
            file=file.name,
            reason=" ".join(str(error).split())[:200],
        ) from error
    for node in _nodes(top) if top is not None else ():
        # Looked at as YAML reads it: a tag can be spelled in many ways.
        if not node.tag.startswith(_PLAIN) or node.tag.startswith(f"{_PLAIN}python"):
            raise BadInput(
                "benchmark.code_in_file",
                "The task file {file} has the tag {tag}, which would run Python code. Write the task with templates alone.",
                file=file.name,
                tag=node.tag,
            )
        for path in _included(node):
            wanted = (file.parent / path).resolve()
            if not wanted.is_relative_to(root) or wanted.suffix not in _SUFFIXES:
                raise BadInput(
                    "benchmark.include_outside",
                    "The task file {file} includes {path}, which is no *.yaml file in the folder. Copy it into the folder.",
                    file=file.name,
                    path=path,
                )


def _nodes(top: yaml.Node) -> Iterator[yaml.Node]:
    """A node of YAML and all that is in it, each once: an alias can lead back to what it is in."""
    seen: set[int] = set()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [inner for pair in node.value for inner in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _included(node: yaml.Node) -> list[str]:
    """Files that a mapping includes."""
    if not isinstance(node, yaml.MappingNode):
        return []
    values = [value for key, value in node.value if key.value == "include"]
    return [inner.value for value in values for inner in _nodes(value) if isinstance(inner, yaml.ScalarNode)]
