"""One agent beside the list: who it is, what it remembers, how it does, what it may use."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.text.clock import day_of
from skill_agent.values import Skill

from ..frame.agents import Member
from ..frame.columns import Columns
from ..frame.plain import one_line
from ..frame.status import short
from .facts import Facts, Untold
from .links import Link

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA

MUTED = "$foreground-muted"
WIDE = 14
"""Cells of the names of facts."""
_MORE = 6
"""Skills, hosts and rules that are named; how many more there are is counted."""
_TYPES = {
    "user_profile": "of you", "semantic": "facts", "episodic": "events",
    "procedural": "ways of doing things", "identity": "of itself", "shared": "the team's",
    "agent_private": "its own notes", "working": "of the moment",
}  # fmt: skip
"""Types of memory in words; others by their name."""


class AgentPane(VerticalScroll, can_focus=True):
    """Quiet until an agent is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown = ""

    async def tell(self, facts: Facts | None, member: Member) -> None:
        """Draws it; where one reads stays while it is the same agent."""
        slug = facts.dna.slug if facts else ""
        place = self.scroll_y if slug == self._shown else 0
        inside = self.has_focus_within and not self.has_focus
        self._shown = slug
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(list(drawn(facts, member)) if facts else [])
        if inside:
            self.focus()
        self.scroll_to(y=place, animate=False, immediate=True)


def drawn(facts: Facts, member: Member) -> Iterator[Widget]:
    """Its lines in reading order."""
    yield from _who(facts.dna, member)
    yield from _section("Remembers", _memories(facts))
    yield from _section("Trust", [_line("how far", _trust(facts))])
    yield from _section("Cost", [_line(name, said) for name, said in _cost(facts)])
    yield from _section("Answers with", [_line(name, said) for name, said in _model(facts)])
    yield from _section("May use", [_line(name, said) for name, said in _uses(facts)])
    yield from _section("Recent talks", _talks(facts))


def _who(dna: "AgentDNA", member: Member) -> Iterator[Widget]:
    state = "" if dna.status == "active" else f"  {dna.status}"
    yield Static(
        Content.assemble(
            member.mark, (member.name, f"bold {member.colour}"), (f"  @{dna.slug}", MUTED),
            (state, "$warning"),
        ),
        classes="title",
    )  # fmt: skip
    if dna.tagline:
        yield Static(one_line(dna.tagline, 400), markup=False, classes="said")
    traits = dna.personality.traits
    named = sorted(traits, key=lambda one: (-traits[one], one))
    manner = [dna.personality.tone, dna.personality.verbosity, dna.personality.formality]
    does, never = dna.boundaries.can_do, dna.boundaries.cannot_do
    for name, said in (
        ("manner", ", ".join(manner)),
        ("traits", ", ".join(one.replace("_", " ") for one in named)),
        ("does", _some(does)),
        ("does not", _some((*never, *dna.personality.never_rules))),
        ("always", "; ".join(dna.personality.always_rules)),
        ("hands over", f"to {dna.boundaries.escalates_to}" if dna.boundaries.escalates_to else ""),
    ):
        if said:
            yield _line(name, said)


def _section(title: str, lines: "list[Widget]") -> Iterator[Widget]:
    yield Static(title, classes="section")
    yield from lines


def _line(name: str, said: str) -> Widget:
    return Columns([(name, Content(one_line(said, 600)))], gap=WIDE)


def _memories(facts: Facts) -> "list[Widget]":
    if isinstance(facts.memories, Untold):
        return [_line("", facts.memories.why)]
    if not facts.memories:
        return [_line("", "nothing yet")]
    total = sum(facts.memories.values())
    found: list[Widget] = [
        _link(f"{total:,}", "in all that it may recall", "memory", f"@{facts.dna.slug}")
    ]
    for kind, count in _ranked(facts.memories):
        words = _TYPES.get(kind, kind.replace("_", " "))
        found.append(_link(f"{count:,}", words, "memory", f"@{facts.dna.slug}:{kind}"))
    return found


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _link(figure: str, words: str, to: str, what: str) -> Link:
    return Link(Content.assemble((f"{figure:<{WIDE}}", ""), (words, MUTED)), to=to, what=what)


def _trust(facts: Facts) -> str:
    if isinstance(facts.trust, Untold):
        return facts.trust.why
    one = facts.trust
    if not one.good and not one.bad:
        return "nothing is known yet: + and - on its replies tell"
    return f"{one.trust:.2f} of 1 · {one.good} good, {one.bad} bad, the newest count most"


def _cost(facts: Facts) -> list[tuple[str, str]]:
    if isinstance(facts.usage, Untold):
        return [("", facts.usage.why)]
    rows = {row.id: row for row in facts.usage.rows}
    found: list[tuple[str, str]] = []
    for one in facts.usage.budgets:
        if one.id == facts.dna.slug:
            found.append(("today", f"${one.spent_today_usd:.2f} of ${one.daily_usd:.2f}"))
            found.append(("this month", f"${one.spent_month_usd:.2f} of ${one.monthly_usd:.2f}"))
    if row := rows.get(facts.dna.slug):
        tokens = f"{short(row.prompt_tokens)} read, {short(row.completion_tokens)} written"
        unknown = " and what no price is known for" if row.unpriced else ""
        found.append(("so far", f"{row.turns:,} turns · {tokens} · ${row.cost_usd:.2f}{unknown}"))
    return found or [("", "nothing was spent")]


def _model(facts: Facts) -> list[tuple[str, str]]:
    dna = facts.dna
    if dna.runs is not None:
        return [("program", _program(facts))]
    if isinstance(facts.model, Untold):
        return [("model", facts.model.why)]
    window = facts.model.context_window
    said = facts.model.name.removeprefix("embedded/")
    said += f" · {short(window)} window" if window else ""
    found = [("model", said)]
    if dna.model.model_name == "default":
        found.append(("chosen by", "config.toml"))
    elif dna.model.model_name != facts.model.name:
        found.append(("chosen as", dna.model.model_name))
    return found


def _program(facts: Facts) -> str:
    acp = facts.dna.runs.acp if facts.dna.runs else ""
    name = acp if isinstance(acp, str) else " ".join(acp)
    if isinstance(facts.programs, Untold):
        return f"{name} · {facts.programs.why}"
    found = next((one for one in facts.programs if one.name == name), None)
    if found is None:
        return name
    return f"{name} · {'here' if found.found else 'not on this machine'}"


def _uses(facts: Facts) -> list[tuple[str, str]]:
    dna = facts.dna
    found = [("skills", _skills(facts))]
    if not isinstance(facts.tools, Untold) and facts.tools:
        told = [f"{one.tool} ({one.problem})" if one.problem else one.tool for one in facts.tools]
        found.append(("as tools", _some(told)))
    if dna.boundaries.max_autonomy != "execute":
        found.append(
            ("on the web", f"asks before each call (it may {dna.boundaries.max_autonomy})")
        )
    elif dna.boundaries.allowed_domains:
        hosts = _some(dna.boundaries.allowed_domains)
        found.append(("on the web", f"{hosts}; any other host asks first"))
    else:
        found.append(("on the web", "every host asks first"))
    if dna.mcp:
        found.append(("servers", _servers(facts)))
    if not isinstance(facts.rules, Untold) and facts.rules:
        found.append(("unasked", _some([one.split(" ", 1)[1] for one in facts.rules])))
    return found


def _skills(facts: Facts) -> str:
    names = facts.dna.effective_skills
    if not names:
        return "none"
    if isinstance(facts.skills, Untold):
        return _some(names)
    known = {one.name: one for one in facts.skills if one.loaded}
    return _some([_skill(name, known.get(name), facts) for name in names])


def _skill(name: str, skill: Skill | None, facts: Facts) -> str:
    if skill is None:
        return f"{name} (is not there)"
    mine = skill.trust == "trusted" or {"*", facts.dna.slug} & {*skill.approved_for}
    if not mine:
        return f"{name} (asks first)"
    return f"{name} (its trade)" if name in facts.dna.craft_skill_names else name


def _servers(facts: Facts) -> str:
    states = {} if isinstance(facts.servers, Untold) else {
        one.name: one.state for one in facts.servers
    }  # fmt: skip
    told: list[str] = []
    for pattern in facts.dna.mcp:
        state = states.get(pattern.partition(":")[0], "not in config.toml")
        told.append(f"{pattern} ({state.replace('_', ' ')})")
    return _some(told)


def _talks(facts: Facts) -> "list[Widget]":
    if isinstance(facts.talks, Untold):
        return [_line("", facts.talks.why)]
    if not facts.talks:
        return [_line("", "none yet: Enter begins one")]
    return [
        _link(day_of(one.updated_at), one_line(one.title, 80) or "Untitled", "talk", one.id)
        for one in facts.talks
    ]


def _some(names: "tuple[str, ...] | list[str]") -> str:
    more = len(names) - _MORE
    shown = ", ".join(names[:_MORE] if more > 1 else names)
    return f"{shown} and {more} more" if more > 1 else shown
