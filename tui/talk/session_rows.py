"""How a conversation is told in a list: its title, whose it is, when, and what is found in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from textual.content import Content

from skill_agent.values import FoundSession, Session

from ..frame.agents import Member
from ..frame.ago import stretch, within
from ..frame.plain import one_line

PINNED = "Pinned"
_MUTED = "$foreground-muted"
_LIT = "bold $accent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known beside the ledger."""

    now: datetime
    current: str | None = None
    """The conversation that is open."""
    running: frozenset[str] = frozenset()
    """Those in which a turn runs."""
    looked: Mapping[str, datetime] = field(default_factory=dict)
    """When each was looked at, of those that were."""

    def unread(self, session: Session) -> bool:
        """Something came since one looked at it."""
        seen = self.looked.get(session.id)
        return seen is not None and session.updated_at > seen and session.id != self.current


def group_of(session: Session, standing: Standing, *, searching: bool) -> str:
    """The heading it stands below; what is found stands by its time alone."""
    if session.pinned and not searching:
        return PINNED
    return stretch(session.updated_at, standing.now)


def heading(name: str, *, first: bool) -> Content:
    return Content.assemble("" if first else "\n", (name, f"bold {_MUTED}"))


def told(session: Session, member: Member, standing: Standing, wanted: str = "") -> Content:
    """Two lines, and a third with the place that holds what is wanted."""
    words = wanted.split()
    title = one_line(session.title, 120) or "Untitled"
    shown = lit(title, words)
    unread = standing.unread(session)
    if unread:
        shown = shown.stylize_before("bold")
    colour = f"${member.accent.replace('accent-', 'agent-')}"
    lines = [
        Content.assemble(("● ", colour), shown, *_marks(session, standing, unread=unread)),
        Content.styled("  " + " · ".join(_facts(session, member, standing)), _MUTED),
    ]
    hit = one_line(session.hit, 200) if isinstance(session, FoundSession) else ""
    if hit not in ("", title):
        place = lit(f"“{hit}”", [wanted.strip()]).stylize_before(_MUTED)
        lines.append(Content.assemble("  ", place))
    return Content("\n").join(lines)


def _marks(session: Session, standing: Standing, *, unread: bool) -> list[tuple[str, str]]:
    marks: list[tuple[str, str]] = []
    if session.id in standing.running:
        marks.append(("  replying", "$success"))
    elif unread:
        marks.append(("  new", "bold $accent"))
    if session.id == standing.current:
        marks.append(("  open now", "$success"))
    return marks


def _facts(session: Session, member: Member, standing: Standing) -> list[str]:
    count = f"{session.messages} message" + ("" if session.messages == 1 else "s")
    facts = [member.name, count, within(session.updated_at, standing.now)]
    if session.branched_from:
        facts.append("a branch")
    return facts


def lit(text: str, words: Sequence[str]) -> Content:
    """The text with every place of these words lit, whatever their case."""
    shown, folded = Content(text), text.lower()
    if len(folded) != len(text):  # a letter that is longer in lower case: no place would fit
        return shown
    for word in filter(None, (one.lower() for one in words)):
        at = folded.find(word)
        while at >= 0:
            shown = shown.stylize(_LIT, at, at + len(word))
            at = folded.find(word, at + len(word))
    return shown
