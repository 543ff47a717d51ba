"""`ska team run`: several agents on one goal, their plan first, then what they do as it happens."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import SkillAgentError
from skill_agent.events import (
    ApprovalAsked,
    CollaborationChanged,
    Event,
    HostFound,
    TaskChanged,
)
from skill_agent.identifiers import new_id
from skill_agent.values import PATTERNS, Collaboration, NewCollaboration, Participant

from ..opening.running import ready_to_talk
from ..options import JsonOption, SessionOption, YesOption, choice
from ..output import emit_json, emit_text, narrate, plain
from ..surroundings import Surroundings, surroundings
from ..talk.approvals import asking
from ..talk.driver import Answer, Talk, talking

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_ASKED_FROM_S = 60.0
"""What is expected to take longer is begun only once a person said so."""
_ENDED = ("completed", "failed", "timed_out", "cancelled")

_Item = Event | BaseException


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    ctx: typer.Context,
    goal: Annotated[list[str], typer.Argument(metavar="GOAL", help="What is wanted of them.")],
    pattern: Annotated[
        str,
        typer.Option("--pattern", "-p", metavar="PATTERN", help=f"One of {', '.join(PATTERNS)}."),
    ] = "supervisor_worker",
    people: Annotated[
        str,
        typer.Option("--with", metavar="NAMES", help="The agents, in order: luke,ada."),
    ] = "",
    lead: Annotated[
        str | None, typer.Option("--lead", metavar="NAME", help="Who puts it together.")
    ] = None,
    session: SessionOption = None,
    max_usd: Annotated[
        float, typer.Option("--max-usd", help="Most that it may cost; 0 takes free models only.")
    ] = 0.50,
    max_seconds: Annotated[
        float, typer.Option("--max-seconds", help="Longest that it may take.")
    ] = 600.0,
    rounds: Annotated[int, typer.Option("--rounds", help="Most rounds of a review or vote.")] = 5,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have several agents work on one goal, and print what comes of it.

    The plan comes first, with what it is expected to take; on a terminal you are asked where that
    is more than a minute, or money. Then each step is told on stderr as it happens. Without --with
    the lead chooses colleagues. Ctrl+C stops all of them; what there is stays in the conversation.

    \b
    Examples:
      ska team run "compare these two plans" --with luke,ada
      ska team run "a slogan for the bakery" --pattern brainstorm --with max,ada --lead kyra
      ska team run "write the release notes" -p peer_review --with max,luke --rounds 3
      ska team run "tea or coffee?" -p consensus --max-seconds 300 --json | jq -r .final_output

    \b
    Exit codes: 0 done, 1 failed or stopped at the limit of time (what there is is printed), 2 wrong
    usage, 3 a model is unavailable, 130 interrupted.
    """
    around = surroundings(ctx)
    (kind,) = choice("--pattern", pattern.replace("-", "_"), PATTERNS)
    new = NewCollaboration(
        " ".join(goal),
        pattern=kind,
        participants=_participants(people, lead, kind),
        lead=lead,
        conversation=session,
        max_cost_usd=max_usd,
        max_duration_s=max_seconds,
        max_rounds=rounds,
        interactive=around.interactive,
        key=new_id(),
    )
    ready_to_talk(around)
    with talking(around, role="team") as talk:
        plan: Collaboration = talk.call(talk.runtime.collaborations.plan, new)
        for line in plan_lines(plan):
            narrate(line)
        if not (yes or _agreed(around, plan)):
            narrate("nothing was begun")
            raise typer.Exit(1)
        done = _followed(talk, new, asking(around) if around.interactive else None)
    _show(done, as_json=as_json)
    raise typer.Exit(0 if done.status == "completed" else 1)


def _participants(people: str, lead: str | None, pattern: str) -> tuple[Participant, ...]:
    """Those named, with a lead that is not among them first; a writer and a reviewer are led by
    one of them."""
    names = [name.strip().removeprefix("@").lower() for name in people.split(",") if name.strip()]
    leads = lead.strip().removeprefix("@").lower() if lead else None
    if names and leads and leads not in names and pattern != "peer_review":
        names = [*names, leads] if pattern == "pipeline" else [leads, *names]
    return tuple(Participant(slug=name) for name in names)


def plan_lines(plan: Collaboration) -> Iterator[str]:
    """Who does what, in which order, and what that is expected to take."""
    named = plan.pattern.replace("_", " ")
    yield f"{named}, led by {plan.lead}; about {_minutes(plan.estimate_s or 0.0)}{_cost(plan)}"
    for step in plan.plan:
        yield f"  {step.stage}: {step.agent_slug} on {step.model}, {_minutes(step.estimate_s)}"


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes"


def _cost(plan: Collaboration) -> str:
    if plan.estimate_usd is None:
        return ", at a price that is not known"
    return f", ${plan.estimate_usd:.4f}" if plan.estimate_usd else ""


def _agreed(around: Surroundings, plan: Collaboration) -> bool:
    """Whether it may begin; a script has said so by calling."""
    little = (plan.estimate_s or 0.0) <= _ASKED_FROM_S and plan.estimate_usd == 0
    if little or not around.interactive:
        return True
    return around.read_line("Begin? [y/N] ").strip().lower() in ("y", "yes")


def _followed(talk: Talk, new: NewCollaboration, answer: Answer | None) -> Collaboration:
    """The collaboration's end; however this is left, it is stopped."""
    items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
    pump = talk.start(_pumped, talk.runtime, new, items)
    view = _View(talk, new.key or "", answer)
    try:
        while not view.over:
            view.take(items.get())
    except BaseException:
        _stop(talk, new.key or "")
        raise
    finally:
        pump.cancel()
    found: Collaboration = talk.call(talk.runtime.collaborations.get, new.key)
    return found


async def _pumped(
    runtime: "Workstation", new: NewCollaboration, items: "queue.SimpleQueue[_Item]"
) -> None:
    """Begins it, and hands every event to the main thread."""
    with runtime.turns.subscribe() as events:
        try:
            await runtime.collaborations.start(new)
            async for event in events:
                if isinstance(event, HostFound):  # who ran it is gone: it goes on from there
                    await runtime.collaborations.start(new)
                items.put(event)
        except Exception as problem:  # the main thread raises it
            items.put(problem)


def _stop(talk: Talk, key: str) -> None:
    narrate("stopping …")
    try:
        talk.call(talk.runtime.collaborations.cancel, key, reason="interrupted")
    except SkillAgentError:  # it never began, or the host is gone
        return


@dataclass
class _View:
    """What is told of a collaboration while it runs."""

    talk: Talk
    key: str
    answer: Answer | None
    over: bool = False
    turns: set[str] = field(default_factory=set)
    """Those of its tasks."""

    def take(self, item: _Item) -> None:
        match item:
            case BaseException():
                raise item
            case CollaborationChanged() if item.collaboration == self.key:
                self.over = item.status in _ENDED
                if item.status in ("planning", *_ENDED):
                    narrate(item.line)
            case TaskChanged() if item.collaboration == self.key:
                if item.work is not None:
                    self.turns.add(item.work)
                if item.status != "pending":
                    narrate(f"  {item.line}")
            case ApprovalAsked() if item.turn in self.turns and self.answer is not None:
                self._approve(item, self.answer)
            case _:
                pass

    def _approve(self, event: ApprovalAsked, answer: Answer) -> None:
        choice: Any = "deny"
        try:
            choice = answer(event)
        finally:
            self.talk.call(self.talk.runtime.approvals.answer, event.approval, choice)


def _show(done: Collaboration, *, as_json: bool) -> None:
    if as_json:
        emit_json(plain(done))
    elif done.final_output:
        emit_text(done.final_output)
    if done.error:
        narrate(f"{done.status.replace('_', ' ')}: {done.error}")
    if done.total_cost_usd:
        narrate(f"it cost ${done.total_cost_usd:.4f}")
    if not as_json:
        narrate(f"kept: ska sessions show {done.conversation}")
