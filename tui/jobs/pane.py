"""One job beside the list: when, what, to whom it is told, and what became of its times; or one
piece of background work.
"""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.text.attachments import writers
from skill_agent.values import Job, JobRun, Work

from ..frame.agents import AgentList
from ..frame.detail import Detail, said, section
from ..frame.listing import Listing
from ..frame.plain import one_line, shown_time
from .rows import mark_of, mark_of_job, run_row, state_of, times_of, when_in_words, words_of


class JobPane(Vertical):
    """Facts above, runs below; both can be gone to."""

    def compose(self) -> ComposeResult:
        yield Detail(id="job-facts")
        yield Static("", id="job-history", markup=False)
        yield Listing[JobRun](id="job-runs")

    def on_mount(self) -> None:
        self._show_runs([], None)

    @property
    def facts(self) -> Detail:
        return self.query_one(Detail)

    @property
    def runs(self) -> Listing[JobRun]:
        return self.query_one("#job-runs", Listing)

    def enter(self) -> None:
        """The focus to what can be gone through."""
        (self.runs if self.runs.display else self.facts).focus()

    async def tell(self, thing: Job | Work, runs: Sequence[JobRun], agents: AgentList) -> None:
        if isinstance(thing, Job):
            await self.facts.show(f"job {thing.id}", thing, lambda: _job(thing, agents))
            self._show_runs(runs, thing)
        else:
            await self.facts.show(f"work {thing.id}", thing, lambda: _work(thing))
            self._show_runs([], None)

    async def say(self, words: str) -> None:
        await self.facts.say(words)
        self._show_runs([], None)

    def _show_runs(self, runs: Sequence[JobRun], job: Job | None) -> None:
        title = self.query_one("#job-history", Static)
        title.display = job is not None
        self.runs.display = bool(runs)
        title.update("History" if runs else "It has not run yet.")
        title.set_class(not runs, "-none")
        if job is not None:
            self.runs.put(run_row(one, job) for one in runs)


def _job(job: Job, agents: AgentList) -> list[Widget]:
    mark, colour = mark_of_job(job)
    who = agents[job.agent].name if job.agent else ""
    by = "" if job.built_in or job.created_by == "person" else f"proposed by {job.created_by}"
    kind = job.kind if job.kind != "agent" else ""
    facts = (who, kind, "comes with the program" * job.built_in, by)
    found: list[Widget] = [
        said(one_line(job.name, 300), "title"),
        Static(
            Content.assemble((f"{mark} ", colour), (state_of(job), _plain(colour))),
            classes="state",
        ),
        said(" · ".join(one for one in facts if one), "facts"),
    ]
    if job.problem:
        found.append(said(job.problem, "bad"))
    times = [when_in_words(job.schedule), *(f"· {one}" for one in job.next_runs_local[:3])]
    found += section("When", "\n".join(times))
    if what := job.prompt or " ".join(job.command):
        found += section("What", what)
    if job.origins:
        found.append(said(f"! {writers(job.origins)} stands in it", "bad"))
    return [*found, *section("Told to", told_to(job))]


def told_to(job: Job) -> str:
    return ", ".join(one for one in job.deliver if one != "none") or "nobody"


def _plain(colour: str) -> str:
    """That all is well needs no colour."""
    return "" if colour == "$success" else colour


def _work(work: Work) -> list[Widget]:
    mark, colour = mark_of(work.state)
    found: list[Widget] = [
        said(one_line(work.title, 300), "title"),
        Static(Content.assemble((f"{mark} {words_of(work)}", colour)), classes="state"),
        said(times_of(work) + (f" · try {work.attempts}" * (work.attempts > 1)), "facts"),
    ]
    if work.next_try:
        found.append(said(f"tried again at {shown_time(work.next_try)}", "facts"))
    for title, text in (("Now", work.message * (not work.ended)), ("Result", work.result)):
        found += section(title, text) if text else []
    if work.error:
        found += section("What went wrong", work.error, bad=True)
    if work.origins:
        found.append(said(f"! {writers(work.origins)} stands in its result", "bad"))
    return found
