"""What a report of each type has to hold; the types are data in `templates.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skill_agent.errors import UsageError
from skill_agent.values import REPORT_TYPES, ReportRequest, ReportType, TaskType

_FILE = Path(__file__).with_name("templates.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A type of report: its sections by key, each with what it says."""

    name: ReportType
    task: TaskType
    required: Mapping[str, str]
    optional: Mapping[str, str]

    def sections(self, most: int, *, few: bool = False) -> dict[str, str]:
        """Those that are asked for: all that are required, and as many others as there is room
        for; with `few` none of these. Raises UsageError where there is no room for the required."""
        if most < len(self.required):
            raise UsageError(
                f"a {self.name} has {len(self.required)} sections at least, not {most}",
                hint=f"max_sections={len(self.required)}",
            )
        others = [] if few else list(self.optional.items())[: most - len(self.required)]
        return {**self.required, **dict(others)}


def template_of(request: ReportRequest) -> Template:
    """Raises UsageError for a type that is none."""
    found = templates().get(request.report_type)
    if found is None:
        names = ", ".join(REPORT_TYPES)
        raise UsageError(f"no type of report: {request.report_type!r}", hint=f"one of {names}")
    return found


@cache
def templates() -> Mapping[str, Template]:
    """By name."""
    told = tomllib.loads(_FILE.read_text("utf-8"))
    return {
        name: Template(
            name=name,
            task=told[name]["task"],
            required=told[name]["required"],
            optional=told[name]["optional"],
        )
        for name in REPORT_TYPES
    }


def titled(key: str) -> str:
    """`key_figures` -> `Key figures`."""
    return key.replace("_", " ").capitalize()
