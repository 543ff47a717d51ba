"""Where an error becomes a sentence on stderr and an exit code, and mistakes in files a listing;
nothing is handled here.

What was not expected also goes, with its traceback and without secrets, to the home's log.
"""

import asyncio
import os
import re
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from skill_agent.errors import ConfigError, SkillAgentError
from skill_agent.files.refusals import disk_refusal

from .ending import Ended
from .output import INTERRUPTED, NOBODY_READS, emit_json, narrate, table, tell_error
from .streams import NobodyReads, Unwritable, silence
from .surroundings import Surroundings

_UNKNOWN = re.compile(r"No such command '(.*?)'\.")


def report(error: BaseException, around: Surroundings) -> int:
    """Tells the person and gives the exit code."""
    cause = root_cause(error)
    if os.environ.get("SKILL_AGENT_DEBUG"):
        traceback.print_exception(error)
    match cause:
        case Ended():
            narrate(f"ended by {cause.signal.name}")
            return cause.exit_code
        case NobodyReads():
            silence(sys.stdout)
            return NOBODY_READS
        case SkillAgentError():
            if isinstance(cause, Unwritable):
                silence(sys.stdout)
            tell_error(cause.message, cause.hint)
            return cause.exit_code
        case KeyboardInterrupt() | asyncio.CancelledError():
            narrate("interrupted")
            return INTERRUPTED
        case typer.Abort():
            narrate("given up")
            return INTERRUPTED
        case typer.TyperException():
            return _wrong_usage(cause)
        case Exception() if told := disk_refusal(cause, around.home.root):
            tell_error(told.message, told.hint)
            return told.exit_code
        case _:
            return _unexpected(cause, around)


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


def root_cause(error: BaseException) -> BaseException:
    """The first error inside groups of errors that says something a person can use."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [root_cause(inner) for inner in error.exceptions]
    expected = [cause for cause in causes if isinstance(cause, SkillAgentError)]
    return (expected or causes)[0]


def _wrong_usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if (
        type(error).__name__ == "NoArgsIsHelpError"
    ):  # a group without a command: its message is help
        narrate(message)
        return error.exit_code
    hint = f"{context.command_path} --help" if context is not None else "ska --help"
    if context is not None and (found := _UNKNOWN.match(message)):
        from .meaning import meant

        message, hint = found[0], meant(found[1], context) or hint
    tell_error(message, hint)
    return error.exit_code


def _unexpected(error: BaseException, around: Surroundings) -> int:
    from skill_agent.text.redaction import redact

    kind = type(error).__name__
    said = redact(str(error))
    tell_error(f"unexpected {kind}: {said}" if said else f"unexpected {kind}")
    path = _log(error, around.home.logs)
    where = f"the details are in {path}; " if path else ""
    narrate(f"hint: {where}SKILL_AGENT_DEBUG=1 shows them here")
    return 1


def _log(error: BaseException, folder: Path) -> Path | None:
    """Appends the traceback to the home's log; None where there is no home to write into."""
    from skill_agent.text.redaction import redact

    if not folder.parent.is_dir():
        return None
    path = folder / "errors.log"
    command = " ".join(sys.argv[1:2])
    text = "".join(traceback.format_exception(error))
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(_private(path), "a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat()} ska {command}\n{redact(text)}\n")
    except OSError:
        return None
    return path


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _place(problem: ConfigError) -> str:
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
