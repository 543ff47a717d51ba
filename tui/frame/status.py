"""The status line: who speaks, with which model, what it has read and cost.

It drops its less telling parts where the terminal is narrow. It counts nothing itself.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Static

from .agents import NOBODY, Member

if TYPE_CHECKING:
    from skill_agent.values import Usage

NOTED = 8.0
"""Seconds that a note stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the line shows."""

    member: Member = NOBODY
    model: str = ""
    window: int = 0
    """Tokens of the loaded context window; 0 where unknown."""
    filled: int = 0
    """Tokens of the last call's prompt and reply."""
    read: int = 0
    written: int = 0
    cached: int = 0
    cost: float = 0.0
    priced: bool = True
    """Whether a price is known for all of it."""
    today: "Usage | None" = None
    """What all conversations of today have used, where that is known."""
    title: str = ""
    disputed: int = 0
    """Disputes that wait for the person."""
    at_work: int = 0
    """Collaborations and tasks of the team that go on."""
    waiting: int = 0
    """All that waits for the person: to be answered, decided, begun anew, read."""
    background: str = ""
    """The long work that goes on in the background, with how far it is."""
    note: str = ""
    """What has just been remembered; it goes away by itself."""
    host: str = ""
    """What is wrong with the process that holds the home; empty when nothing is."""
    state: str = ""
    """What is going on, e.g. `opening`; empty when nothing is."""

    def plus(self, usage: "Usage | None") -> "Figures":
        """The figures after a further turn of this session."""
        if usage is None:
            return self
        return replace(
            self,
            model=usage.model or self.model,
            filled=usage.prompt_tokens + usage.completion_tokens,
            read=self.read + usage.prompt_tokens,
            written=self.written + usage.completion_tokens,
            cached=self.cached + usage.cached_tokens,
            cost=self.cost + usage.cost_usd,
            priced=self.priced and usage.priced,
        )


class StatusLine(Static):
    """One line at the bottom."""

    figures: reactive[Figures] = reactive(Figures(), layout=False)
    _noted: Timer | None = None

    def say(self, note: str) -> None:
        """A note that goes away by itself."""
        self.figures = replace(self.figures, note=note)
        if self._noted is not None:
            self._noted.stop()
        self._noted = self.set_timer(NOTED, self._fall_silent)

    def _fall_silent(self) -> None:
        self.figures = replace(self.figures, note="")

    def render(self) -> Content:
        return draw(self.figures, max(self.size.width, 1))


def draw(figures: Figures, width: int) -> Content:
    """The line for a width: agent and state always, then as much as fits, the title last."""
    quiet = "$foreground-muted"
    parts = [Content.assemble(("● ", f"${_accent(figures.member)}"), _name(figures))]
    left = width - parts[0].cell_length
    for text, style in _ranked(figures):
        need = Content(text).cell_length + 3
        if text and need <= left:
            parts.append(Content.assemble((" · ", "$foreground-disabled"), (text, style or quiet)))
            left -= need
    line = Content("").join(parts)
    if figures.title and left > 12:
        title = Content(figures.title).truncate(left - 3, ellipsis=True)
        gap = max(left - title.cell_length, 1)
        line = Content.assemble(line, " " * gap, title.stylize(quiet))
    return line


def _ranked(figures: Figures) -> list[tuple[str, str]]:
    """Parts in reading order, which is also their rank."""
    model = figures.model.rsplit("/", 1)[-1]
    window = f"{short(figures.filled)}/{short(figures.window)}" if figures.window else ""
    team = f"▸ {figures.at_work} at work" if figures.at_work else ""
    inbox = _waiting(figures.waiting)
    behind = f"↻ {figures.background}" if figures.background else ""
    doubt = f"≠ {figures.disputed} disputed" if figures.disputed else ""
    if not figures.read and not figures.written:
        return [
            (figures.host, "$warning"), (figures.state, "$warning"), (team, "$accent"),
            (inbox, "$accent"), (behind, "$accent"), (doubt, "$warning"),
            (figures.note, "$success"), (model, ""), (window, ""),
        ]  # fmt: skip
    share = round(100 * figures.cached / figures.read) if figures.read else 0
    return [
        (figures.host, "$warning"),
        (figures.state, "$warning"),
        (team, "$accent"),
        (inbox, "$accent"),
        (behind, "$accent"),
        (doubt, "$warning"),
        (figures.note, "$success"),
        (model, ""),
        (window, ""),
        (f"↑{short(figures.read)} ↓{short(figures.written)}", ""),
        (f"{share}% cached", ""),
        (_cost(figures.cost, priced=figures.priced), ""),
        (_today(figures), ""),
    ]


def _waiting(count: int) -> str:
    return f"✉ {count} {'waits' if count == 1 else 'wait'} · F8" if count else ""


def _cost(cost: float, *, priced: bool) -> str:
    known = f"${cost:.4f}" if 0 < cost < 0.1 else f"${cost:.2f}"
    if priced:
        return known
    return f"{known} + unknown" if cost else "price unknown"


def _today(figures: Figures) -> str:
    """Where it is more than this conversation's."""
    today = figures.today
    if today is None or today.cost_usd <= figures.cost:
        return ""
    return f"{_cost(today.cost_usd, priced=today.priced)} today"


def _name(figures: Figures) -> Content:
    return Content.styled(figures.member.name or "skill-agent", "bold")


def _accent(member: Member) -> str:
    return member.accent.replace("accent-", "agent-")


def short(count: int) -> str:
    """1234 -> `1.2k`."""
    if count < 1_000:
        return str(count)
    if count < 100_000:
        return f"{count / 1_000:.1f}k".replace(".0k", "k")
    return f"{count // 1_000}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"
