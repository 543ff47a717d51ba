"""The tools by which a model asks its agent's colleagues.

They act without asking the person, unless the agent may only suggest: what holds them are limits of
tasks, money and mail, not prompts. What they give is a colleague's words.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from skill_agent.errors import SkillAgentError, ToolFailed
from skill_agent.ports import ToolOutcome, ToolSpec
from skill_agent.team.mail.messages import Messages, Place
from skill_agent.team.operations import ReportOperations
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.text.clock import minute_of
from skill_agent.turns.colleagues.nearby import Turning
from skill_agent.values import (
    AgentMessage,
    AgentTask,
    Collaboration,
    Job,
    NewCollaboration,
    NewJob,
    NewTask,
    Origin,
    Participant,
    Priority,
    ReportRequest,
    TaskType,
    all_origins,
)

from .specs import COLLABORATE, DELEGATE, INBOX, MESSAGE, PROPOSE, REPORT, STATUS

GivesTask = Callable[[NewTask], Awaitable[AgentTask]]
LooksAtTask = Callable[[str], Awaitable[AgentTask]]
ProposesJob = Callable[[NewJob], Awaitable[Job]]
Collaborates = Callable[[NewCollaboration], Awaitable[Collaboration]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the tools work with; what is None, there is no tool for."""

    tasks: RunsTasks
    messages: Messages
    reports: ReportOperations
    give: GivesTask | None = None
    """Gives a task and returns at once."""
    look: LooksAtTask | None = None
    collaborate: Collaborates | None = None
    propose: ProposesJob | None = None


Run = Callable[[Means, Turning, dict[str, Any]], Awaitable[ToolOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamTool:
    """One of them, for one turn."""

    spec: ToolSpec
    work: Run
    means: Means
    turning: Turning
    acts: bool = True
    """It makes others work, or tells them something."""

    def rule(self, arguments: dict[str, Any]) -> str:
        return self.spec.name

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        autonomy = self.turning.agent.boundaries.max_autonomy
        asks = self.acts and autonomy != "execute"
        return f"this agent's autonomy is {autonomy!r}" if asks else ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        """Raises ToolFailed for all that goes wrong, with who wrote of it."""
        try:
            return await self.work(self.means, self.turning, arguments)
        except ToolFailed:
            raise
        except SkillAgentError as problem:
            hint = f" ({problem.hint})" if problem.hint else ""
            raise ToolFailed(f"{problem.message}{hint}", origins=("agent",)) from problem


async def _delegate(means: Means, turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    new = NewTask(
        assigned_to=_text(told, "to_agent"),
        instructions=_text(told, "instructions"),
        title=str(told.get("title") or ""),
        task_type=_one_of(told, "task_type", get_args(TaskType), "execute"),
        expected_output=str(told.get("expected_output") or ""),
        priority=_one_of(told, "priority", get_args(Priority), "normal"),
        created_by=turning.agent.slug,
        parent_task=turning.request.task,
        parent_turn=turning.turn or None,
        conversation=turning.session or None,
        origins=_origins(turning),
        interactive=turning.request.interactive,
        requester=turning.request.requester,
    )
    if told.get("wait_for_result") is False and means.give is not None:
        task = await means.give(new)
        return ToolOutcome(text=f"task {task.id} is given to {task.assigned_to}")
    return _told(await means.tasks.run(new))


async def _report(means: Means, turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    parameters = told.get("parameters")
    made = await means.reports.make(
        ReportRequest(
            report_type=told.get("report_type", ""),
            title=_text(told, "title"),
            agent=_text(told, "from_agent"),
            subject=str(told.get("subject") or ""),
            parameters=parameters if isinstance(parameters, dict) else {},
            created_by=turning.agent.slug,
            parent_task=turning.request.task,
            parent_turn=turning.turn or None,
            conversation=turning.session or None,
            origins=_origins(turning),
            requester=turning.request.requester,
        )
    )
    lacks = f"\n\nNot in it: {', '.join(made.missing)}" if made.missing else ""
    return ToolOutcome(text=made.text + lacks, origins=all_origins(("agent",), made.origins))


async def _collaborate(means: Means, turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    assert means.collaborate is not None
    named = told.get("participants")
    slugs = [str(one) for one in named] if isinstance(named, list) else []
    begun = await means.collaborate(
        NewCollaboration(
            goal=_text(told, "goal"),
            pattern=told.get("pattern", "supervisor_worker"),
            participants=tuple(Participant(slug=one) for one in dict.fromkeys(slugs)),
            lead=turning.agent.slug if turning.agent.slug in slugs else None,
            conversation=turning.session or None,
            parent_task=turning.request.task,
            parent_turn=turning.turn or None,
            created_by=turning.agent.slug,
            origins=_origins(turning),
            interactive=turning.request.interactive,
            requester=turning.request.requester,
        )
    )
    said = begun.final_output or f"collaboration {begun.id} has begun: {begun.status}"
    return ToolOutcome(text=said, origins=all_origins(("agent",), begun.origins))


async def _status(means: Means, _turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    assert means.look is not None
    return _told(await means.look(_text(told, "task_id")))


async def _message(means: Means, turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    sent = await means.messages.send(
        turning.agent.slug,
        _text(told, "to_agent"),
        _text(told, "message"),
        message_type=told.get("message_type") or "notification",
        origins=turning.taint.origins,
        place=Place(session=turning.session, turn=turning.turn, parent=turning.request.parent),
    )
    return ToolOutcome(text=f"sent to {sent.to or 'everybody'} as {sent.id}")


async def _inbox(means: Means, turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    unread = told.get("unread_only") is not False
    found = await means.messages.inbox(turning.agent.slug, unread_only=unread)
    await means.messages.mark(turning.agent.slug, [one.id for one in found])
    if not found:
        return ToolOutcome(text="nothing is there to read")
    lines = "\n".join(map(_line, found))
    return ToolOutcome(text=lines, origins=all_origins(*(one.origins for one in found)))


async def _propose(means: Means, turning: Turning, told: dict[str, Any]) -> ToolOutcome:
    assert means.propose is not None
    job = await means.propose(
        NewJob(
            _text(told, "when"),
            prompt=_text(told, "prompt"),
            name=str(told.get("name") or ""),
            agent=turning.agent.slug,
            created_by=turning.agent.slug,
            origins=_origins(turning),
            requester=turning.request.requester,
        )
    )
    return ToolOutcome(text=f"job {job.id} is proposed; it begins once the person approves it")


TOOLS: Sequence[tuple[ToolSpec, Run, bool]] = (
    (DELEGATE, _delegate, True),
    (REPORT, _report, True),
    (COLLABORATE, _collaborate, True),
    (STATUS, _status, False),
    (MESSAGE, _message, True),
    (INBOX, _inbox, False),
    (PROPOSE, _propose, False),
)
"""Each with how it works and whether it acts."""


def team_tools(means: Means, turning: Turning) -> dict[str, TeamTool]:
    """Those there are means for, by name, in the order in which they stand in a prompt."""
    watched = turning.request.interactive and turning.request.task is None
    lacking = {
        COLLABORATE.name: means.collaborate is None,
        STATUS.name: means.look is None,
        # Work that nobody watches, a run of a job above all, makes no jobs.
        PROPOSE.name: means.propose is None or not watched,
    }
    return {
        spec.name: TeamTool(spec=spec, work=work, means=means, turning=turning, acts=acts)
        for spec, work, acts in TOOLS
        if not lacking.get(spec.name)
    }


def _origins(turning: Turning) -> tuple[Origin, ...]:
    """A model wrote it, from all that it has read."""
    return all_origins(("agent",), turning.taint.origins)


def _told(task: AgentTask) -> ToolOutcome:
    origins = all_origins(("agent",), task.origins)
    if task.status == "completed":
        return ToolOutcome(text=f"{task.assigned_to}: {task.result}", origins=origins)
    if not task.ended:
        return ToolOutcome(text=f"task {task.id}: {task.status}")
    why = f": {task.error}" if task.error else ""
    raise ToolFailed(f"{task.assigned_to} could not do it ({task.status}){why}", origins=origins)


def _line(message: AgentMessage) -> str:
    return f"{message.sender} ({minute_of(message.created_at)}): {message.content}"


def _text(told: dict[str, Any], name: str) -> str:
    value = str(told.get(name) or "").strip()
    if not value:
        raise ToolFailed(f"{name} is empty")
    return value


def _one_of(told: dict[str, Any], name: str, known: tuple[Any, ...], usual: Any) -> Any:
    value = told.get(name) or usual
    if value not in known:
        raise ToolFailed(f"{name} is none of {', '.join(known)}: {value!r}")
    return value
