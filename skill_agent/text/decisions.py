"""What a person is asked to allow, told whole and exactly: nothing cut, nothing unseen."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .printing import exact

_URL = re.compile(r"\s*[a-z][a-z0-9+.-]*://(?:[^/?#]*@)?(?P<place>[^/?#]*)", re.IGNORECASE)
LONG = 100
"""Characters from which a value's end is told by itself as well."""
_TAIL = 60


def value_lines(value: Any) -> list[str]:
    """The whole value, by line; what is no text as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return exact(text).split("\n")


def in_one_line(text: str) -> str:
    """The same of a name or a rule."""
    return exact(text).replace("\n", "‹U+000A›")


def in_a_row(chain: Sequence[str]) -> str:
    """Who asked whom for what, each whole."""
    return " → ".join(in_one_line(one) for one in chain)


def host_in(value: Any) -> str:
    """The host that a URL reaches, without a user's name before it, and as it is asked for where
    it has letters that may pass for others; empty where the value is none."""
    found = _URL.match(value) if isinstance(value, str) else None
    if found is None:
        return ""
    place = found["place"]
    host = re.sub(r":\d*$", "", place)
    if host.isascii():
        return in_one_line(place)
    try:
        asked = host.encode("idna").decode()
    except UnicodeError:
        asked = "no valid name"
    return f"{in_one_line(place)} ({asked})"


def around_host(value: str) -> tuple[str, str, str]:
    """The value in three parts, the second of which is the host of a URL; empty where none is."""
    found = _URL.match(value)
    begin, end = found.span("place") if found else (len(value), len(value))
    return exact(value[:begin]), exact(value[begin:end]), exact(value[end:])


def hosts_in(arguments: Mapping[str, Any]) -> str:
    """Every host that the arguments name."""
    return ", ".join(dict.fromkeys(filter(None, map(host_in, arguments.values()))))


def tail_of(value: Any) -> str:
    """How a long value ends; empty where one sees it all at a glance."""
    whole = " ".join(value_lines(value))
    return f"{len(whole):,} characters, ends with …{whole[-_TAIL:]}" if len(whole) > LONG else ""
