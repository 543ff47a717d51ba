"""Text on its way to an editor: nothing in it drives a screen, nothing is longer than is shown."""

import math
from typing import Any

from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked

LONGEST = 20_000
"""Characters of a tool's result that an editor is shown; the conversation has all of it."""
_DEEPEST = 20


def shown(text: str, most: int = LONGEST) -> str:
    """Made fit, masked, and cut where it is longer."""
    cut = text if len(text) <= most else text[:most] + f"\n… {len(text) - most:,} characters more"
    return masked(printable(cut))


def plain(value: Any, most: int = LONGEST, depth: int = 0) -> Any:
    """The same of every text in a JSON document; what JSON cannot say becomes text."""
    if depth > _DEEPEST:
        return "…"
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {
                printable(str(name)): plain(one, most, depth + 1) for name, one in value.items()
            }
        case list() | tuple():
            return [plain(one, most, depth + 1) for one in value]
        case _:
            return shown(str(value), most)
