"""How an option of a run is described: its words, bounds, place in the form, and when it counts.

Takes words and bounds, gives a pydantic field; reads them back from one. The options themselves are ``spec.RunSpec``.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Group = Literal["model", "data", "schedule", "adapter", "preference", "watch", "publish"]
Level = Literal["simple", "advanced"]


class Options(BaseModel):
    """Options of one subject."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def option(default: Any, title: str, help_: str, group: Group, **more: Any) -> Any:
    """A field of ``RunSpec``; ``level``, ``unit`` and ``needs`` go to the form, the rest are pydantic's bounds.

    ``needs`` is an option and those of its values at which this one counts.
    """
    shown = {"group": group, "level": more.pop("level", "advanced"), "unit": more.pop("unit", "")}
    if "needs" in more:
        name, values = more.pop("needs")
        shown["needs"] = {"option": name, "values": list(values)}
    return Field(default, title=title, description=help_, json_schema_extra=shown, **more)


def shown(field: FieldInfo) -> dict[str, str]:
    """``group``, ``level`` and ``unit`` of a field."""
    extra = field.json_schema_extra
    return {k: str(extra[k]) for k in ("group", "level", "unit")} if isinstance(extra, dict) else {}


def needs(field: FieldInfo) -> dict[str, Any]:
    """``option`` and ``values``: the option beside whose values the field counts; empty where it always does."""
    extra: Any = field.json_schema_extra
    found: dict[str, Any] = extra.get("needs", {})
    return found


def bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """The smallest and largest value, None where there is no limit."""
    low = high = None
    for rule in field.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return low, high
