"""The names of the ways out of the home, as they are written: `KIND` or `KIND:ADDRESS`."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from skill_agent.errors import UsageError
from skill_agent.text.checks import sound_text

INBOX, NONE = "inbox", "none"
NEAR = frozenset({"file", "desktop"})
"""What does not leave this machine."""
OWN_CHATS = frozenset({"telegram"})
"""What leads to the person's own chats alone."""
SILENT = frozenset({"file"})
"""What nobody hears: it is not held in quiet hours."""
LATER: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {"telegram": re.compile(r"(-?\d{1,20})?"), "webhook": re.compile(r"[\w-]{1,64}")}
)
"""What another part brings once it runs, with its addresses; until then things wait for it."""
MOST = 8
"""Ways of one item."""
_LONGEST = 500
KNOWN = "inbox, none, file[:FOLDER], desktop, webhook:ID, apprise:NAME, telegram[:CHAT]"


def parted(target: str) -> tuple[str, str]:
    """Kind and address."""
    kind, _, address = target.partition(":")
    return kind, address


def may_have_private(target: str) -> bool:
    """Whether private things may go there."""
    kind, _ = parted(target)
    return kind in NEAR or kind in OWN_CHATS


def written(targets: Iterable[str]) -> tuple[str, ...]:
    """The ways beside the inbox, each once; raises UsageError for too many, or what cannot go
    together."""
    named = list(dict.fromkeys(one.strip() for one in targets if one.strip()))
    if NONE in named and len(named) > 1:
        raise UsageError(f"{NONE} goes with nothing else", hint=f"leave {NONE} out, or the others")
    ways = [one for one in named if one != INBOX]
    if len(ways) > MOST:
        raise UsageError(f"{len(ways)} ways; {MOST} are the most for one thing")
    for one in ways:
        sound_text(one, "the target")
        if len(one) > _LONGEST or not one.isprintable():
            raise UsageError(f"nothing can be delivered to {one[:60]!r}", hint=KNOWN)
    return tuple(ways)
