"""Addresses of what can be read: `memory://ID`, `skill://NAME/PATH`, `agent://SLUG`,
`conversation://ID`."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

SCHEMES = ("memory", "skill", "agent", "conversation")
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URI in its parts, decoded."""

    scheme: str
    name: str
    path: str = ""
    after: int = -1
    """Where a conversation goes on."""


def scheme_of(uri: str) -> str:
    """Ours, or an empty one."""
    scheme, found, _ = uri.partition("://")
    return scheme.lower() if found and scheme.lower() in SCHEMES else ""


def address_of(uri: str) -> Address | None:
    """None for what is no address of anything here: with a step up, a zero byte, a back slash, or
    any of these encoded once more."""
    scheme = scheme_of(uri)
    if not scheme or len(uri) > _LONGEST:
        return None
    rest, _, query = uri.partition("://")[2].partition("?")
    name, _, path = rest.partition("/")
    decoded = unquote(name), unquote(path)
    if not decoded[0] or not all(map(_is_plain, decoded)):
        return None
    after = _after(query)
    if after is None or (path and scheme != "skill"):
        return None
    return Address(scheme=scheme, name=decoded[0], path=decoded[1], after=after)


def _is_plain(part: str) -> bool:
    odd = any(sign in part for sign in "\\#%") or not part.isprintable()
    return not odd and ".." not in part.split("/") and not part.startswith("/")


def _after(query: str) -> int | None:
    if not query:
        return -1
    said = parse_qs(query).get("after", [""])[0]
    return int(said) if said.isascii() and said.isdigit() and len(said) < 12 else None
