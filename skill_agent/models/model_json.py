"""JSON that a model or its provider wrote, read so that nothing in it stops whoever asked.

Characters beyond the first 65,536 are two halves in JSON, and some servers cut between them or lose
one. A half alone is no text: it can be neither stored nor sent nor shown.
"""

import json
import math
from typing import Any

from skill_agent.text.whole import whole_json

DEEPEST = 60
"""Levels of lists and tables: what is nested deeper nobody meant, and would break what reads it."""


def read(text: str) -> Any:
    """The value a text holds. Raises ValueError, with words for the one who wrote it, whatever is
    wrong: also for what is too deep, a number without end and a key with two values."""
    try:
        value = json.loads(
            text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_each_once
        )
    except (json.JSONDecodeError, _Refused):
        raise
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:  # Python reads no whole number of thousands of digits
        raise ValueError("it holds a number that is too long") from None
    if too_deep(value):
        raise ValueError("it is nested too deeply")
    return whole_json(value)


def value_in(text: str) -> Any:
    """What a text holds as JSON, taken as it is; None where it holds none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def too_deep(value: Any) -> bool:
    """Whether a value is nested deeper than anything meant is."""
    level = [value]
    # Level by level, because what calls itself would fail on the very thing it looks for.
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level = [one for one in inner if isinstance(one, dict | list)]
        if not level:
            return False
    return bool(level)


class _Refused(ValueError):
    """Says itself what is wrong."""


def _no_number(name: str) -> float:
    raise _Refused(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _Refused(f"{digits[:20]} is too large a number")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise _Refused(f"{name[:60]!r} is given twice")
        found[name] = value
    return found
