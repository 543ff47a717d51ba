"""A memory's story beside the list: what it says, where it came from, what became of it.

It draws a `Story` it is given; it asks nobody.
"""

from collections.abc import Mapping
from typing import Any

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.text.origins import in_words
from skill_agent.values import LogEntry, Memory, Story

from ..frame.agents import AgentList
from ..frame.columns import Columns, Row
from ..frame.plain import one_line, printable, shown_time
from .memory_list import mark_of

ENTRIES = 400
"""Log rows shown; a memory recalled more often has the rest in `ska memory show --log`."""
SENTENCE = 1_200
"""Characters of a source message."""

_HAPPENED = {
    "memory.created": "kept",
    "memory.imported": "imported",
    "memory.versioned": "became a new version",
    "memory.corrected": "corrected",
    "memory.superseded": "replaced",
    "memory.archived": "forgotten",
    "memory.restored": "taken back",
    "memory.pinned": "pinned",
    "memory.unpinned": "unpinned",
    "memory.confirmed": "vouched for",
    "memory.disputed": "contradicted",
    "memory.resolved": "dispute decided",
    "memory.shared": "shared with every agent",
    "memory.unshared": "given back to one agent",
    "memory.adopted": "made part of who the agent is",
    "memory.linked": "found to have to do with others",
    "memory.purged": "erased",
    "recalled": "into a prompt",
    "feedback": "rated",
}


class StoryView(VerticalScroll, can_focus=True):
    """Scrolls by itself; Up, Down and the page keys work while it has the focus."""

    shown: str | None = None
    """Id of the memory whose story it is."""

    async def say(self, words: Content | str) -> None:
        """Words instead of a story."""
        self.shown = None
        await self._fill([Static(words, markup=False, classes="empty")])

    async def tell(self, story: Story, agents: AgentList, titles: Mapping[str, str]) -> None:
        """Shows a story; `titles` names sessions by id. The same one keeps its place."""
        place = self.scroll_y if story.memory.id == self.shown else 0
        self.shown = story.memory.id
        await self._fill(_widgets(story, agents, titles))
        self.scroll_to(y=place, animate=False)

    async def _fill(self, widgets: list[Widget]) -> None:
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(widgets)


def _widgets(story: Story, agents: AgentList, titles: Mapping[str, str]) -> list[Widget]:
    memory = story.memory
    told: list[Widget] = [
        Static(headline(memory), classes="state"),
        Static(printable(memory.content), markup=False, classes="content"),
        Columns(facts_of(memory, agents), classes="facts"),
        *_part("Where it came from", _sources(story, agents, titles)),
    ]
    if len(story.versions) > 1:
        told += _part("Versions", [_version(one, memory.id) for one in story.versions])
    entries = story.entries[-ENTRIES:]
    rows = [_happening(entry, titles) for entry in entries]
    if hidden := len(story.entries) - len(entries):
        rows.insert(0, ("", Content.styled(f"{hidden} earlier", "$foreground-muted")))
    return told + _part("What happened", rows)


def _part(title: str, rows: list[Row]) -> list[Widget]:
    return [Static(title, classes="section"), Columns(rows)]


def headline(memory: Memory) -> Content:
    """Its state in a few words."""
    mark, colour = mark_of(memory)
    words = {
        "active": "pinned" if memory.pinned else "in use",
        "disputed": "disputed: Enter to decide",
        "archived": "forgotten: r takes it back",
        "superseded": "replaced by a newer version",
    }
    return Content.assemble((f"{mark} {words[memory.status]}", colour))


def facts_of(memory: Memory, agents: AgentList) -> list[Row]:
    """What it is, as label and value; what is empty is left out."""
    owner = f"only {agents[memory.agent].name}" if memory.agent else "every agent"
    facts = {
        "type": memory.memory_type.replace("_", " "),
        "subject": memory.subject or "",
        "importance": f"{memory.importance} of 10",
        "confidence": f"{memory.confidence:.0%}" if memory.confidence < 1 else "",
        "seen by": owner,
        "tier": memory.tier,
        "since": shown_time(memory.created_at),
        "until": shown_time(memory.expires_at) if memory.expires_at else "",
        "kept by": _origin(memory),
        "version": str(memory.version),
        "id": memory.id,
    }
    return [(label, Content(one_line(value, 200))) for label, value in facts.items() if value]


def _origin(memory: Memory) -> str:
    if memory.origins:
        return f"{in_words(memory.origins)}: not your own words"
    origins = {
        "explicit": "your own words",
        "import": "an import",
        "system": "the program",
        "feedback": "your feedback",
        "consolidation": "merging similar memories",
    }
    reader = (memory.extraction_model or "").rpartition("/")[2]
    if memory.source_type == "extraction":
        return f"{reader or 'rules'} (read out)"
    return origins[memory.source_type] + (f" ({reader})" if reader else "")


def _sources(story: Story, agents: AgentList, titles: Mapping[str, str]) -> list[Row]:
    rows: list[Row] = []
    for message in story.sources:
        who = "you" if message.role == "user" else agents[message.agent or ""].name
        where = titles.get(message.session, short_id(message.session))
        said = printable(message.content)
        cut = f"{said[:SENTENCE]} …" if len(said) > SENTENCE else said
        head = (f"{who}, in “{one_line(where, 60)}”\n", "$foreground-muted")
        rows.append((shown_time(message.created_at), Content.assemble(head, f"“{cut}”")))
    if not rows:
        title = titles.get(story.memory.source.session or "")
        known = f"in “{one_line(title, 60)}”" if title else "no sentence: it was told directly"
        when = shown_time(story.memory.created_at)
        rows.append((when, Content.styled(known, "$foreground-muted")))
    return rows


def _version(memory: Memory, here: str) -> Row:
    word = {"superseded": "replaced", "archived": "forgotten"}.get(memory.status, memory.status)
    shown = " · this one" if memory.id == here else ""
    text = Content.assemble(
        one_line(memory.content, 400),
        (f"\n{word}{shown} · {shown_time(memory.created_at)}", "$foreground-muted"),
    )
    return f"v{memory.version}", text


def _happening(entry: LogEntry, titles: Mapping[str, str]) -> Row:
    new = entry.new or {}
    what = _HAPPENED.get(entry.kind) or entry.kind.rpartition(".")[2].replace("_", " ")
    details: list[str] = []
    if entry.kind == "recalled":
        session = str(new.get("session", ""))
        title = one_line(titles.get(session, short_id(session)), 60)
        details.append(f"of {entry.actor}, in “{title}”")
    else:
        details.append(f"by {'you' if entry.actor == 'person' else entry.actor}")
        if entry.reason:
            details.append(one_line(entry.reason, 300))
        details += _changed(entry)
    return shown_time(entry.at), Content.assemble(
        what, (f"  {' · '.join(details)}", "$foreground-muted")
    )


_QUIET = {"superseded_by", "updated_at", "id", "metadata", "content", "created_at", "source", "seq"}


def _changed(entry: LogEntry) -> list[str]:
    """Changed fields of a change that is not the first, e.g. `tier warm → hot`."""
    if not entry.old or not entry.new:
        return []
    names = [name for name in entry.new if name not in _QUIET and name in entry.old]
    return [
        f"{name.replace('_', ' ')} {_value(entry.old[name])} → {_value(entry.new[name])}"
        for name in names
        if entry.old[name] != entry.new[name]
    ]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(short_id(str(one)) for one in value) or "none"
    text = one_line(value, 60)
    return short_id(text) if len(text) == 36 and text.count("-") == 4 else text or "none"


def sessions_in(story: Story) -> list[str]:
    """Ids of the sessions the story speaks of, newest last, each once."""
    said = [one.session for one in story.sources]
    sent = [str((one.new or {}).get("session", "")) for one in story.entries[-ENTRIES:]]
    own = [story.memory.source.session or ""]
    return [one for one in dict.fromkeys([*own, *said, *sent]) if one]


def short_id(value: str) -> str:
    """Enough of an id to find it."""
    return value[:13] if len(value) > 20 else value
