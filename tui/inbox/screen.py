"""The inbox: all that waits for the person, live and answered here; what failed, and what jobs and
agents left to be read.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from skill_agent.errors import Conflict, NotFound
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    HostFound,
    InboxArrived,
    InboxChanged,
    JobRunChanged,
    MemoriesExtracted,
    QuestionAnswered,
    QuestionAsked,
    TurnFailed,
    TurnFinished,
)
from skill_agent.values import Dispute, InboxItem, Job, Memory, Question, WaitingApproval

from ..frame.agents import AgentList
from ..frame.asked import behind_a_bar
from ..frame.deeds import Deed
from ..frame.dialogs import ConfirmDialog, LineDialog
from ..frame.listing import Listing
from ..frame.page import FindRuntime, FindTrouble, Page
from ..frame.plain import one_line
from . import deeds
from .entries import GROUPS, KINDS, Entry, Found, look
from .pane import Choice, EntryPane
from .rows import rows_of

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

EMPTY = "Nothing waits for you.\n\nWhat jobs find out, and what goes wrong meanwhile, comes here."
NO_MATCH = "Nothing matches.\n\nx shows all of it."
HINT = "yes · no · or what is to be different"
_MESSAGE = {"open", "archive", "deliver", "mark"}
"""What can be done with a message only."""


class InboxScreen(Page):
    """Gives the conversation an entry came from, where one replies."""

    HEADING = "Inbox"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("inbox.tcss")
    WAKING = "Waking the team. The inbox comes by itself."
    NEWS = (
        InboxArrived, InboxChanged, HostFound, ApprovalAsked, ApprovalAnswered, QuestionAsked,
        QuestionAnswered, JobRunChanged, MemoriesExtracted, TurnFinished, TurnFailed,
    )  # fmt: skip
    LOOKS = 5.0
    SEARCH = "Search the inbox"
    CHIPS = (("s", "show", "step_show(1)"), ("t", "kind", "step_kind(1)"))

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        """`choose` is the id of a message, or of what waits with its kind before it."""
        super().__init__(runtime, trouble, choose=choose)
        self._agents = AgentList()
        self._found = Found(())
        self._only_group, self._only_kind = "", ""
        """What is shown only; empty for all."""

    def _body(self) -> ComposeResult:
        yield from self._beside(Listing[Entry](id="page-list"), EntryPane(id="page-pane"))

    @property
    def listing(self) -> Listing[Entry]:
        return self.query_one("#page-list", Listing)

    @property
    def pane(self) -> EntryPane:
        return self.query_one(EntryPane)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        if not self._agents.all():
            self._agents = AgentList(await runtime.agents.list())
        self._found = await look(runtime)
        await self._draw()

    async def _draw(self) -> None:
        entries = [one for one in self._found.entries if self._wanted(one)]
        self._draw_chips()
        if not entries:
            await self._show_none(NO_MATCH if self._found.entries else EMPTY)
            return
        self._show_list()
        choose, self._chosen = self._chosen, None
        ids = {one.id for one in entries}
        named = next((one for one in (choose, f"item {choose}") if one in ids), None)
        self.listing.put(rows_of(entries, self._agents), choose=named)
        self._count(self._counted())
        self.refresh_bindings()

    def _wanted(self, entry: Entry) -> bool:
        return (
            self._only_group in ("", entry.group)
            and self._only_kind in ("", entry.kind)
            and entry.has(self.words)
        )

    def _counted(self) -> str:
        """How much waits; before it, what could not be read."""
        parts = [one_line(one.message, 60) for one in self._found.problems[:1]]
        for group in GROUPS[:-1]:
            if count := sum(one.group == group for one in self._found.entries):
                parts.append(f"{count} {'wait' if group == 'waits for you' else group}")
        return " · ".join(parts) or "nothing waits"

    def _draw_chips(self) -> None:
        show, kind = self.chips
        show.tell(self._only_group or "all", lit=bool(self._only_group))
        kind.tell(f"{self._only_kind}s" if self._only_kind else "any", lit=bool(self._only_kind))

    async def _clear(self) -> None:
        self.listing.put([])
        await self.pane.tell(None, self._agents)

    @on(Listing.Chosen)
    def chosen(self, event: Listing.Chosen) -> None:
        if self.pane.has_focus and event.thing.id != self.pane.shown:
            self.set_focus(self.listing)  # what was about to be answered is not there any more
        self.refresh_bindings()
        tell = partial(self.pane.tell, event.thing, self._agents)
        self.run_worker(tell, group="pane", exclusive=True)

    @on(OptionList.OptionSelected)
    def entered(self) -> None:
        if (entry := self.listing.chosen) is None:
            return
        match entry.thing:
            case Question() as question:
                self._answer_in_words(question)
            case Dispute() as dispute:
                self.post_message(self.SettleWanted(self, dispute.memories[0].id))
            case InboxItem(read_at=None) as item:
                self.pane.focus()
                self.do(lambda runtime: runtime.inbox.read(item.id))
            case _:
                self.pane.focus()

    # -- answering ---------------------------------------------------------------------------

    def _answer_in_words(self, one: Question) -> None:
        """The dialog stays while what was typed is no answer."""

        async def answer(words: str) -> None:
            runtime = self._runtime()
            if runtime is None:
                return
            try:
                await runtime.questions.answer(one.id, words, by="the window")
            except (Conflict, NotFound) as late:  # somebody was quicker
                self.notify(late.message, severity="warning", markup=False)

        about = behind_a_bar(one.text, one.detail, one.chain)
        who = self._agents[one.agent].name if one.agent else f"a {one.source}"
        dialog = LineDialog(f"{who} asks", about=about, hint=HINT, write=answer, does="answers")
        self.ask(dialog, lambda _: self._load(0))

    @on(EntryPane.Answered)
    def answered(self, event: EntryPane.Answered) -> None:
        self.listing.focus()
        match event.entry.thing:
            case WaitingApproval() as one:
                self.do(partial(self._settle, one, event.choice, ""))
            case Memory() as one:
                self.do(partial(self._review, one, event.entry.review, event.choice))
            case Job() as one if event.choice == "once":
                self.do(lambda runtime: runtime.jobs.approve(one.id), told="It begins at its times")
            case Job() as one:
                self._remove(one)
            case _:
                pass

    @on(EntryPane.InsteadWanted)
    def instead_wanted(self, event: EntryPane.InsteadWanted) -> None:
        if isinstance(event.entry.thing, WaitingApproval):
            self._ask_instead(event.entry.thing)

    def _ask_instead(self, one: WaitingApproval) -> None:
        def then(words: str) -> None:
            if words:
                self.do(partial(self._settle, one, "deny", words))

        title = f"What is {self._agents[one.agent].name} to do instead?"
        self.ask(
            LineDialog(title, hint="The call is denied, and this is read", does="denies"), then
        )

    async def _settle(
        self, one: WaitingApproval, choice: Choice, words: str, runtime: "Workstation"
    ) -> None:
        if not await runtime.approvals.answer(one.id, choice, words=words):
            self.say("It waits no longer: it was answered elsewhere, or its time was over.")
        else:
            said = {"once": "Allowed once", "always": "Allowed from now on", "deny": "Denied"}
            self.say(said[choice])

    async def _review(self, one: Memory, what: str, choice: Choice, runtime: "Workstation") -> None:
        if choice == "deny":
            await runtime.memory.unshare(one.id)
        elif what == "adopt":
            await runtime.memory.adopt(one.id)
        else:
            await runtime.memory.share(one.id)

    def _remove(self, one: Job) -> None:
        def then(yes: bool) -> None:
            if yes:
                self.do(lambda runtime: runtime.jobs.remove(one.id), told="Removed")

        title = f"Remove the job {one_line(one.name, 80)}?"
        self.ask(ConfirmDialog(title, "It is not begun.", does="removes it"), then)

    # -- keys --------------------------------------------------------------------------------

    @property
    def _item(self) -> InboxItem | None:
        entry = self.listing.chosen
        return entry.thing if entry and isinstance(entry.thing, InboxItem) else None

    @property
    def _failed_job(self) -> str | None:
        """The id of the job that the chosen one is about, where that failed."""
        entry = self.listing.chosen if self.is_mounted else None
        if entry is None or entry.group == "waits for you":
            return None
        match entry.thing:
            case Job() as one:
                return one.id
            case InboxItem(sort="failure") as one:
                return one.job
            case _:
                return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the chosen one is, decides what can be done."""
        if not super().check_action(action, parameters):
            return False
        if not self.is_mounted:
            return True
        if action in _MESSAGE:
            return self._item is not None
        if action in ("again", "resume"):
            return self._failed_job is not None
        return True

    def foot_label(self, deed: Deed) -> str | None:
        entry = self.listing.chosen if self.is_mounted else None
        if deed.id == "inbox.read":
            if entry is None or self.pane.has_focus:
                return None
            return {"question": "answer", "approval": "answer", "dispute": "decide"}.get(
                entry.kind, "answer" if entry.group == "waits for you" else "read"
            )
        if deed.id == "inbox.mark" and self._item is not None:
            return "unread" if self._item.read_at else "mark read"
        if deed.id == "inbox.open" and self._item is not None and not self._item.session:
            return None
        if deed.id == "inbox.deliver" and self._item is not None:
            waits = any(one.state != "delivered" for one in self._item.deliveries)
            return deed.label if waits else None
        if deed.id == "inbox.clear" and not (self._only_group or self._only_kind or self.words):
            return None
        return deed.label

    def action_copy(self) -> None:
        if (entry := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(getattr(entry.thing, "text", "") or entry.title)

    def action_open(self) -> None:
        if (item := self._item) is None:
            return
        if not item.session:
            self.say("It came from no conversation.")
            return
        self.dismiss(item.session)

    def action_archive(self) -> None:
        if (item := self._item) is not None:
            self.do(lambda runtime: runtime.inbox.archive(item.id))

    def action_mark(self) -> None:
        if (item := self._item) is not None:
            self.do(lambda runtime: runtime.inbox.read(item.id, read=item.read_at is None))

    def action_deliver(self) -> None:
        if (item := self._item) is not None:
            self.do(lambda runtime: runtime.inbox.deliver_again(item.id))

    def action_again(self) -> None:
        if (job := self._failed_job) is not None:
            self.do(lambda runtime: runtime.jobs.run(job), told="It runs again")

    def action_resume(self) -> None:
        if (job := self._failed_job) is not None:
            self.do(lambda runtime: runtime.jobs.resume(job), told="It goes on at its times")

    # -- filters -----------------------------------------------------------------------------

    def action_step_show(self, step: int) -> None:
        self._only_group = _after(self._only_group, ("", *GROUPS), step)
        self._redraw()

    def action_step_kind(self, step: int) -> None:
        self._only_kind = _after(self._only_kind, ("", *KINDS), step)
        self._redraw()

    def action_clear(self) -> None:
        self._only_group = self._only_kind = ""
        self.forget_words()
        self._redraw()

    def _search(self) -> None:
        """In what is read already."""
        self._redraw()

    def _redraw(self) -> None:
        self.run_worker(self._draw, group="draw", exclusive=True)


def _after(current: str, choices: tuple[str, ...], step: int) -> str:
    return choices[(choices.index(current) + step) % len(choices)]
