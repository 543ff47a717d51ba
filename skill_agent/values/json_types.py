"""Values of ours as JSON has them."""

import dataclasses
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from skill_agent.identifiers import iso


def plain(value: Any) -> Any:
    """The value as JSON types: dataclasses and models as objects, times as ISO 8601 UTC."""
    match value:
        case float() if not math.isfinite(value):
            return None  # JSON has no word for it
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return iso(value)
        case PurePath():
            return str(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted(plain(item) for item in value)
    if isinstance(value, type):
        return value.__name__
    if dataclasses.is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)
    return plain(dump()) if dump else str(value)
