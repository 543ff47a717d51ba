"""One entry beside the list: all there is to decide on, or to read.

What waits is answered here, by one letter, and only once all of it has been in view.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.text.attachments import writers
from skill_agent.text.decisions import in_a_row, in_one_line
from skill_agent.values import (
    Dispute,
    InboxItem,
    Job,
    Memory,
    Origin,
    Question,
    WaitingApproval,
)

from ..frame.agents import AgentList
from ..frame.asked import argument_lines, behind_a_bar
from ..frame.deeds import Deed, bindings
from ..frame.detail import Detail, said, section
from ..frame.plain import one_line, shown_time
from . import deeds
from .entries import Entry
from .rows import way_in_words

Choice = Literal["once", "always", "deny"]
_YES = {"job": "approve it", "share": "share it", "adopt": "adopt it"}
_NO = {"job": "remove it", "share": "keep it private", "adopt": ""}


class EntryPane(Detail):
    """Quiet until something is chosen."""

    DEEDS: ClassVar[tuple[Deed, ...]] = deeds.ANSWER
    BINDINGS: ClassVar[list[BindingType]] = bindings(deeds.ANSWER)

    class Answered(Message):
        """The person decided."""

        def __init__(self, entry: Entry, choice: Choice) -> None:
            super().__init__()
            self.entry = entry
            self.choice: Choice = choice

    class InsteadWanted(Message):
        """The person has something else in mind."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._entry: Entry | None = None
        self._read = ""
        """The entry whose end was in view."""

    async def tell(self, entry: Entry | None, agents: AgentList) -> None:
        self._entry = entry
        if entry is None:
            await self.say("")
        else:
            await self.show(entry.id, entry, lambda: drawn(entry, agents))
        self.call_after_refresh(self._look)

    # -- answering ---------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ("answer", "instead"):
            return True
        entry = self._entry
        if entry is None or entry.kind not in ("approval", "review", "job"):
            return False
        if action == "instead" or parameters == ("always",):
            return entry.kind == "approval"
        return entry.group == "waits for you" and bool(self._label(entry, str(parameters[0])))

    def foot_label(self, deed: Deed) -> str | None:
        entry = self._entry
        if entry is None or deed not in deeds.ANSWER or entry.kind == "approval":
            return deed.label
        return self._label(entry, deed.id.removeprefix("inbox."))

    @staticmethod
    def _label(entry: Entry, choice: str) -> str:
        if entry.kind == "approval":
            return choice
        words = _YES if choice == "once" else _NO
        return words[entry.review or "job"].removesuffix(" it")

    def action_answer(self, choice: Choice) -> None:
        if self._entry is not None and self._whole():
            self.post_message(self.Answered(self._entry, choice))

    def action_instead(self) -> None:
        if self._entry is not None and self._whole():
            self.post_message(self.InsteadWanted(self._entry))

    def _whole(self) -> bool:
        """Whether all of it has been in view; if not, that is told."""
        if self._entry is not None and self._read == self._entry.id:
            return True
        self.app.bell()
        self.notify("Read it to the end first: ↓ or PgDn", timeout=4)
        return False

    def _look(self) -> None:
        if self._entry is None or self.shown != self._entry.id:
            return
        if self.has_focus and self.size.height > 0 and self.scroll_y >= self.max_scroll_y:
            self._read = self._entry.id

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look()

    def on_resize(self) -> None:
        self._look()

    def on_focus(self) -> None:
        self.call_after_refresh(self._look)


# -- drawing -------------------------------------------------------------------------------------


def drawn(entry: Entry, agents: AgentList) -> list[Widget]:
    match entry.thing:
        case WaitingApproval() as one:
            return _approval(one, entry, agents)
        case Question() as one:
            return _question(one, entry, agents)
        case Dispute() as one:
            return _dispute(one)
        case Memory() as one:
            return _review(one, entry, agents)
        case Job() as one:
            return _job(one, entry)
        case InboxItem() as one:
            return _item(one, agents)


def _head(title: str, *facts: str) -> list[Widget]:
    told = " · ".join(one for one in facts if one)
    head: list[Widget] = [said(one_line(title, 400), "title")]
    return [*head, said(one_line(told, 400), "facts")] if told else head


def _origins(origins: Sequence[Origin]) -> list[Widget]:
    told = writers(origins)
    return [said(f"! {told} stands in it", "bad")] if told else []


def _keys(*pairs: str) -> Widget:
    parts = [(one, "bold $warning" if at % 2 == 0 else "") for at, one in enumerate(pairs)]
    return Static(Content.assemble("Enter, then  ", *parts), classes="empty keys")


def _approval(one: WaitingApproval, entry: Entry, agents: AgentList) -> list[Widget]:
    found = _head(
        f"{agents[one.agent].name} {entry.title}", shown_time(one.since),
        f"denied by itself at {shown_time(one.expires)}",
    )  # fmt: skip
    lines = list(argument_lines(one.arguments))
    if one.chain:
        lines.insert(0, Content.styled(f"asked for by {in_a_row(one.chain)}", "$warning"))
    found.append(Static(Content("\n").join(lines), classes="words"))
    if one.reason:
        found.append(said(f"why: {in_one_line(one.reason)}", "facts"))
    found += _origins(one.origins)
    found += section("“always” stores the rule", in_one_line(one.rule))
    return [*found, _keys("o", " allow once  ", "d", " deny  ", "a", " always  ", "r", " instead")]


def _question(one: Question, entry: Entry, agents: AgentList) -> list[Widget]:
    who = agents[one.agent].name if one.agent else f"a {one.source}"
    until = f"{one.default} if nobody answers until {shown_time(one.expires)}"
    found = _head(f"{who} asks", shown_time(one.created_at), until)
    found.append(Static(behind_a_bar(one.text, one.detail, one.chain), classes="words"))
    found += _origins(one.origins)
    keys = Content.assemble(("Enter", "bold $warning"), " answers")
    return [*found, Static(keys, classes="empty keys")]


def _dispute(one: Dispute) -> list[Widget]:
    found = _head("Which is right?", one.reason)
    for number, memory in enumerate(one.memories, 1):
        found += section(f"{number} · {shown_time(memory.created_at)}", memory.content)
    keys = Content.assemble(("Enter", "bold $warning"), " decides, side by side")
    return [*found, Static(keys, classes="empty keys")]


def _review(one: Memory, entry: Entry, agents: AgentList) -> list[Widget]:
    name = agents[one.agent].name if one.agent else "all"
    found = _head(entry.note.capitalize(), f"kept for {name}", shown_time(one.created_at))
    found.append(said(one.content, "words"))
    no = _NO[entry.review or "share"]
    pairs = ["o", f" {_YES[entry.review or 'share']}  ", *(("d", f" {no}") if no else ())]
    return [*found, _keys(*pairs)]


def _job(one: Job, entry: Entry) -> list[Widget]:
    when = one.schedule.said or one.schedule.expression
    found = _head(one.name, entry.note, shown_time(entry.at))
    if one.problem:
        found.append(said(one.problem, "bad"))
    found += section("When", when + (f"\nnext: {one.next_run_local}" * bool(one.next_run_local)))
    if what := one.prompt or " ".join(one.command):
        found += section("What", what)
    found += section("Told to", ", ".join(one.deliver) or "nobody")
    found += _origins(one.origins)
    if entry.group == "waits for you":
        return [*found, _keys("o", " approve it  ", "d", " remove it")]
    return [*found, said("r runs it again, p lets it go on at its times", "empty")]


def _item(item: InboxItem, agents: AgentList) -> list[Widget]:
    by = f"by {agents[item.agent].name}" if item.agent else ""
    origins = f"with words of: {', '.join(item.origins)}" if item.origins else ""
    found = _head(
        item.title, item.sort, by, shown_time(item.created_at), "private" * item.private, origins
    )
    found.append(said(item.text, "words"))
    if ways := [way_in_words(one) for one in item.deliveries[1:]]:
        found.append(said("Delivered elsewhere", "section"))
        found += [Static(Content.styled(line, colour), classes="way") for line, colour in ways]
    words = "o opens its conversation." if item.session else "It came from no conversation."
    if item.job and item.sort == "failure":
        words += " r runs its job again."
    found.append(said(words, "empty"))
    return found
