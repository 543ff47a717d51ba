"""The jobs: what is done at its times and what came of it, and long work in the background; made,
changed, run, paused, stopped.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from skill_agent.errors import Closing, SkillAgentError
from skill_agent.events import AnyEvent, HostFound, JobRunChanged, TurnFinished, WorkChanged
from skill_agent.values import Job, JobChange, JobRun, NewJob, SchedulePreview, Work

from ..frame.agents import AgentList
from ..frame.deeds import Deed
from ..frame.dialogs import ConfirmDialog, TextDialog
from ..frame.listing import Listing
from ..frame.page import FindRuntime, FindTrouble, Page, in_words
from ..frame.plain import one_line
from . import deeds
from .dialogs import JobDialog, Wish, wish_of
from .pane import JobPane
from .rows import rows_of, when_in_words

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

EMPTY = (
    "Nothing is done at its times, and nothing in the background.\n\n"
    "n makes a job: “every weekday at 8”, and what is to be done then.\n"
    "Long commands take --detach, as: ska memory rebuild --detach"
)
NO_MATCH = "Nothing matches.\n\nx shows all of it."
RUNS = 50
BACKGROUND = "background"
SHOWN = ("", "jobs", BACKGROUND)
_ENDED = ("completed", "failed", "cancelled", "dead")
_OF_JOB = {"edit", "approve", "remove"}


class JobsScreen(Page):
    """Gives the conversation that is to be opened, if any."""

    HEADING = "Jobs"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("jobs.tcss")
    WAKING = "Waking the team. Its jobs come by themselves."
    NEWS = (JobRunChanged, WorkChanged, TurnFinished, HostFound)
    LOOKS = 5.0
    SEARCH = "Search all jobs"
    CHIPS = (("s", "show", "step_show(1)"),)

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        """`choose` is the id of a job or a piece of work, or `background` for all of that."""
        super().__init__(runtime, trouble, choose=None if choose == BACKGROUND else choose)
        self._only = BACKGROUND if choose == BACKGROUND else ""
        self._agents = AgentList()
        self._jobs: list[Job] = []
        self._works: list[Work] = []

    def _body(self) -> ComposeResult:
        yield from self._beside(Listing[Job | Work](id="page-list"), JobPane(id="page-pane"))

    @property
    def listing(self) -> Listing[Job | Work]:
        return self.query_one("#page-list", Listing)

    @property
    def pane(self) -> JobPane:
        return self.query_one(JobPane)

    @property
    def works(self) -> list[Work]:
        return [one for one in self.listing.things if isinstance(one, Work)]

    @property
    def jobs(self) -> list[Job]:
        return [one for one in self.listing.things if isinstance(one, Job)]

    async def _hear(self, runtime: "Workstation", event: AnyEvent) -> None:
        await super()._hear(runtime, event)
        if isinstance(event, WorkChanged) and event.state in _ENDED:
            await self._seen(runtime, event.work)

    async def _seen(self, runtime: "Workstation", work: str) -> None:
        """Whoever looks on need not be told in the inbox."""
        try:
            await runtime.work.get(work)
        except SkillAgentError:
            return  # it is gone, and the list shows that

    # -- the list ----------------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        if not self._agents.all():
            self._agents = AgentList(await runtime.agents.list())
        self._jobs = await runtime.jobs.list()
        self._works = await runtime.work.list()
        await self._draw()

    async def _draw(self) -> None:
        jobs = [one for one in self._jobs if self._only != BACKGROUND and self._has(one)]
        works = [one for one in self._works if self._only != "jobs" and self._has(one)]
        self.chips[0].tell(self._only or "all", lit=bool(self._only))
        if not jobs and not works:
            await self._show_none(NO_MATCH if self._jobs or self._works else EMPTY)
            return
        self._show_list()
        choose, self._chosen = self._chosen, None
        ids = {f"job {one.id}" for one in jobs} | {f"work {one.id}" for one in works}
        named = next((one for one in (f"job {choose}", f"work {choose}") if one in ids), None)
        self.listing.put(rows_of(jobs, works, self._agents), choose=named)
        self._count(self._counted())
        self.refresh_bindings()

    def _has(self, one: Job | Work) -> bool:
        text = one.title if isinstance(one, Work) else f"{one.name} {one.prompt} {one.agent}"
        return all(word in text.lower() for word in self.words.lower().split())

    def _counted(self) -> str:
        counts = (
            (sum(one.status == "proposed" for one in self._jobs), "proposed"),
            (sum(one.dead for one in self._jobs), "given up"),
            (sum(not one.ended for one in self._works), "under way"),
        )
        return " · ".join(f"{count} {what}" for count, what in counts if count)

    async def _clear(self) -> None:
        self.listing.put([])
        await self.pane.say("")

    # -- the pane ----------------------------------------------------------------------------

    @on(Listing.Chosen)
    def chosen(self, event: Listing.Chosen) -> None:
        if isinstance(event.thing, Job | Work):
            self.refresh_bindings()
            tell = partial(self._tell, event.thing)
            self.run_worker(tell, group="pane", exclusive=True)

    async def _tell(self, thing: Job | Work) -> None:
        runtime = self._runtime()
        if runtime is None:
            return
        try:
            runs: list[JobRun] = []
            if isinstance(thing, Job):
                thing = await runtime.jobs.get(thing.id)
                runs = await runtime.jobs.history(thing.id, limit=RUNS)
            await self.pane.tell(thing, runs, self._agents)
        except SkillAgentError as error:
            await self.pane.say(in_words(error))

    @on(OptionList.OptionSelected)
    def entered(self, event: OptionList.OptionSelected) -> None:
        if event.option_list is self.listing:
            self.pane.enter()
        elif (run := self.pane.runs.chosen) is not None:
            self._open_run(run)

    def _open_run(self, run: JobRun) -> None:
        runtime = self._runtime()

        async def read() -> str:
            now = await runtime.jobs.get_run(run.id) if runtime else run
            return _whole(now)

        self.app.push_screen(TextDialog(f"{run.name or 'Run'}: {run.state}", read))

    # -- making and changing -----------------------------------------------------------------

    def action_new(self) -> None:
        async def keep(wish: Wish) -> object:
            return await self._open().jobs.add(NewJob(
                wish.when, prompt=wish.prompt, agent=wish.agent or None, name=wish.name,
                deliver=wish.deliver,
            ))  # fmt: skip

        self._ask_for(Wish(), "A new job", keep)

    def action_edit(self) -> None:
        if not isinstance(job := self.listing.chosen, Job):
            return
        before = wish_of(job)

        async def keep(wish: Wish) -> object:
            return await self._open().jobs.edit(job.id, _change(before, wish))

        title = f"Change {one_line(job.name, 60)}"
        self._ask_for(before, title, keep, asks=job.kind == "agent")

    def _ask_for(
        self,
        wish: Wish,
        title: str,
        keep: Callable[[Wish], Awaitable[object]],
        *,
        asks: bool = True,
    ) -> None:
        async def preview(when: str) -> SchedulePreview:
            return await self._open().jobs.preview(when)

        def then(kept: bool) -> None:
            if kept:
                self.say("Kept: it is done at its times")
                self._load(0)

        names = ", ".join(one.slug for one in self._agents.active()[:4])
        dialog = JobDialog(wish, title=title, preview=preview, keep=keep, asks=asks, agents=names)
        self.ask(dialog, then)

    def _open(self) -> "Workstation":
        """Raises Closing while the home is not open."""
        runtime = self._runtime()
        if runtime is None:
            raise Closing("the home is not open yet", hint="try again in a moment")
        return runtime

    # -- keys --------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the chosen one is, decides what can be done."""
        if not super().check_action(action, parameters):
            return False
        if not self.is_mounted or action not in {*_OF_JOB, "pause", "stop", "again", "copy"}:
            return True
        return self._allowed(action, self.listing.chosen)

    @staticmethod
    def _allowed(action: str, chosen: Job | Work | None) -> bool:
        if chosen is None:
            return False
        if isinstance(chosen, Work):
            return action not in _OF_JOB
        if action == "approve":
            return chosen.status == "proposed"
        if action == "stop":
            return chosen.running
        return action != "remove" or not chosen.built_in

    def foot_label(self, deed: Deed) -> str | None:
        chosen = self.listing.chosen if self.is_mounted else None
        work = isinstance(chosen, Work)
        if deed.id == "work.pause" and chosen is not None:
            rests = chosen.state == "paused" if isinstance(chosen, Work) else _rests(chosen)
            return "go on" if rests else deed.label
        if deed.id == "work.again" and work:
            return "once more"
        if deed.id == "jobs.read" and chosen is None:
            return None
        if deed.id == "jobs.read" and (work or self.pane.runs.has_focus):
            return "read"
        if deed.id == "jobs.clear" and not (self._only or self.words):
            return None
        return deed.label

    def action_cross(self) -> None:
        if self.listing.has_focus and self.pane.display:
            self.pane.enter()
        else:
            self.listing.focus()

    def action_pause(self) -> None:
        match self.listing.chosen:
            case Job() as job if _rests(job):
                self.do(lambda runtime: runtime.jobs.resume(job.id), told="It goes on")
            case Job() as job:
                self.do(lambda runtime: runtime.jobs.pause(job.id), told="Paused")
            case Work(state="paused") as work:
                self.do(lambda runtime: runtime.work.resume(work.id))
            case Work() as work:
                self.do(lambda runtime: runtime.work.pause(work.id))
            case _:
                pass

    def action_again(self) -> None:
        match self.listing.chosen:
            case Job() as job:
                self.do(lambda runtime: runtime.jobs.run(job.id), told="It runs now")
            case Work() as work:
                self.do(lambda runtime: runtime.work.retry(work.id))
            case _:
                pass

    def action_stop(self) -> None:
        match self.listing.chosen:
            case Job() as job:
                self.do(partial(self._stop_run, job))
            case Work() as work:
                self.do(lambda runtime: runtime.work.cancel(work.id))
            case _:
                pass

    async def _stop_run(self, job: Job, runtime: "Workstation") -> None:
        """Whatever of it is under way."""
        for run in await runtime.jobs.history(job.id, limit=RUNS):
            if not run.ended:
                await runtime.jobs.cancel_run(run.id)

    def action_approve(self) -> None:
        if isinstance(job := self.listing.chosen, Job):
            self.do(lambda runtime: runtime.jobs.approve(job.id), told="It begins at its times")

    def action_remove(self) -> None:
        if not isinstance(job := self.listing.chosen, Job):
            return

        def then(yes: bool) -> None:
            if yes:
                self.do(lambda runtime: runtime.jobs.remove(job.id), told="Removed")

        title = f"Remove the job {one_line(job.name, 80)}?"
        why = f"{when_in_words(job.schedule)}. What it came to so far stays."
        self.ask(ConfirmDialog(title, why, does="removes it"), then)

    def action_copy(self) -> None:
        match self.pane.runs.chosen if self.pane.runs.has_focus else self.listing.chosen:
            case JobRun() as run:
                self.app.copy_to_clipboard(run.result or run.error)
            case Work() as work:
                self.app.copy_to_clipboard(work.result or work.error)
            case Job() as job:
                self.app.copy_to_clipboard(job.prompt or " ".join(job.command))
            case _:
                pass

    # -- filters -----------------------------------------------------------------------------

    def action_step_show(self, step: int) -> None:
        self._only = SHOWN[(SHOWN.index(self._only) + step) % len(SHOWN)]
        self._search()

    def action_clear(self) -> None:
        self._only = ""
        self.forget_words()
        self._search()

    def _search(self) -> None:
        """In what is read already."""
        self.run_worker(self._draw, group="draw", exclusive=True)


def _rests(job: Job) -> bool:
    """Whether it waits for a person to let it go on."""
    return job.dead or job.status == "paused"


def _change(before: Wish, wish: Wish) -> JobChange:
    """Only what was changed."""
    changed: dict[str, Any] = {
        name: getattr(wish, name)
        for name in ("prompt", "when", "agent", "name", "deliver")
        if getattr(wish, name) != getattr(before, name)
    }
    return JobChange(**changed)


def _whole(run: JobRun) -> str:
    """What a run came to; what went wrong, with what to do about it."""
    wrong = run.error + (f"\n→ {run.hint}" if run.hint else "")
    silent = "There was nothing to tell." if run.silent and not run.result else ""
    return "\n\n".join(one for one in (wrong, run.result, silent) if one)
