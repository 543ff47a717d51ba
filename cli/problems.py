"""How a validating command tells what it found; what counts as a mistake is the core's to say."""

from collections.abc import Sequence
from typing import Any

import typer

from skill_agent.errors import ConfigError

from .output import emit_json, narrate, table


def tell_problems(
    errors: Sequence[ConfigError],
    warnings: Sequence[ConfigError],
    *,
    as_json: bool,
    fine: str,
) -> None:
    """Every problem on stdout, a summary on stderr; exit code 2 where there are errors."""
    found = [("error", problem) for problem in errors]
    found += [("warning", problem) for problem in warnings]
    if as_json:
        emit_json([problem_object(level, problem) for level, problem in found])
    else:
        rows = [(level, _place(problem), problem.key, problem.said) for level, problem in found]
        table(("level", "where", "key", "problem"), rows)
    if not errors:
        narrate(fine if not warnings else f"{fine} ({_counted(len(warnings), 'warning')})")
        return
    narrate(_counted(len(errors), "mistake"))
    raise typer.Exit(2)


def problem_object(level: str, problem: ConfigError) -> dict[str, Any]:
    """One problem as JSON; `id` is its place and key."""
    return {
        "id": ":".join(part for part in (_place(problem), problem.key) if part),
        "level": level,
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "message": problem.said,
        "hint": problem.hint,
    }


def _place(problem: ConfigError) -> str:
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
