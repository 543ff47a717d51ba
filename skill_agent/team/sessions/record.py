"""Collaborations as the ledger keeps them: notes of what changed, folded when one is asked for.

A note names the conversation it belongs to and goes with it. What agents said stands in the
conversations of their tasks, and the result in the conversation it was given to: notes hold ids.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import (
    AgentTask,
    Collaboration,
    CollaborationState,
    LogEntry,
    Origin,
    Requester,
    StageOutput,
)

Value = TypeVar("Value")

KIND = "team.collaboration"
_BEGUN, _STATE, _WORKING, _OUTPUT = "begun", "state", "working", "output"
_OPEN, _MONTHS = "open", "months"
_SHORTEST = 6
_ENDS = ("completed", "failed", "timed_out", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A collaboration, and what else its notes say."""

    collaboration: Collaboration
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    """By stage and agent, the id of the message that holds an output."""
    final: str = ""
    """The id of the message with the result."""
    began: datetime
    """When its time began: later than it was made where it was resumed."""
    resumed: int = 0
    """How often a person had it go on."""
    requester: Requester | None = None
    """Whose API key asks; None is the home's own person."""
    left_s: float | None = None
    """Seconds it has left, where it waits for the person, whose time is not its own."""


class Records:
    """The collaborations of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # -- writing -----------------------------------------------------------------------------

    async def begun(self, one: Collaboration, by: Requester | None) -> None:
        data: dict[str, Any] = {
            name: getattr(one, name)
            for name in (
                *("goal", "pattern", "lead", "context", "parent_task", "parent_turn"),
                *("created_by", "max_duration_s", "max_cost_usd", "max_rounds"),
                *("interactive", "ask_between", "estimate_s", "estimate_usd"),
            )
        }
        data |= {
            "at": iso(one.created_at),
            "origins": [*one.origins],
            "participants": [
                {"slug": p.slug, "role": p.role, "stage": p.stage, "task": p.task}
                for p in one.participants
            ],
            "plan": [asdict(step) for step in one.plan],
        }
        if by is not None:
            data["by"] = {"key": by.key, "name": by.name, "scopes": sorted(by.scopes)}
        await self._note(one, _BEGUN, data)

    async def state(self, one: Collaboration, **more: Any) -> None:
        """Its status, its stage and why; `final` is the message with the result, `origins` are
        that one's, `resumed` is the moment from which its time counts anew, `left` the seconds it
        has left while it waits for the person."""
        data = {"status": one.status, "stage": one.current_stage, "error": one.error, **more}
        if one.completed_at is not None:
            data["at"] = iso(one.completed_at)
        await self._note(one, _STATE, data)

    async def working(self, one: Collaboration, agent: str) -> None:
        data = {"agent": agent, "status": one.status, "stage": one.current_stage}
        await self._note(one, _WORKING, data)

    async def output(self, one: Collaboration, output: StageOutput, task: AgentTask | None) -> str:
        """Gives the id of the message that holds the text. Where there is none, as of a task whose
        engine put it together, the note holds it."""
        said = asdict(output)
        text = said.pop("output")
        message = await self._message(task) if task and text else ""
        said["message" if message else "text"] = message or text
        await self._note(one, _OUTPUT, said)
        return message

    async def _message(self, task: AgentTask) -> str:
        if task.turn is None:
            return ""
        found = [
            one.id
            for one in await self._ledger.turn(task.turn)
            if one.role == "assistant" and one.content == task.result
        ]
        return found[-1] if found else ""

    async def _note(self, one: Collaboration, change: str, data: dict[str, Any]) -> None:
        data = {"session": one.conversation, "change": change, **data}
        await self._ledger.note(KIND, one.id, actor=one.lead, data=data)

    # -- reading -----------------------------------------------------------------------------

    async def get(self, ref: str) -> Kept:
        """By id, or its beginning where that is enough; raises NotFound, and UsageError where
        several begin so."""
        if (found := await self._kept([ref])) and ref in found:
            return found[ref]
        if len(ref) >= _SHORTEST:
            names = [one async for one in self._names() if one[1].startswith(ref.lower())]
            if len(names) > 1:
                raise UsageError(f"{ref!r} fits {len(names)} collaborations", hint="more of the id")
            if names and (found := await self._kept([names[0][1]])):
                return found[names[0][1]]
        raise NotFound(f"no collaboration {ref!r}", hint="ska team list")

    async def known(self, name: str) -> Kept | None:
        """By its whole id."""
        return (await self._kept([name])).get(name)

    async def newest(self, limit: int, before: tuple[datetime, str] | None) -> list[Kept]:
        """The newest first; `before` is that of the last one already had."""
        names: list[str] = []
        async for at, name in self._names():
            if before is None or (at, name) < before:
                names.append(name)
            if len(names) >= limit:
                break
        found = await self._kept(names)
        return [found[name] for name in names if name in found]

    async def open(self) -> list[Kept]:
        """Those that have not ended, as far as the ledger knows."""
        state = (await self._ledger.projected(_COLLABORATIONS, [_OPEN])).get(_OPEN, {})
        found = await self._kept([*state.get("ids", ())])
        return [one for one in found.values() if not one.collaboration.ended]

    async def _names(self) -> AsyncGenerator[tuple[datetime, str], None]:
        """When each was made, and its id, the newest first."""
        known = (await self._ledger.projected(_COLLABORATIONS, [_MONTHS])).get(_MONTHS, {})
        for month in sorted(known.get("months", ()), reverse=True):
            state = (await self._ledger.projected(_COLLABORATIONS, [month])).get(month, {})
            made = [(parse_time(at), name) for at, name in state.get("made", ())]
            for one in sorted(made, reverse=True):
                yield one

    async def _kept(self, names: Sequence[str]) -> dict[str, Kept]:
        found: dict[str, Kept] = {}
        for name in names:
            rows = await self._ledger.log(name, kinds=(KIND,), limit=10_000)
            if (kept := folded(rows)) is not None:
                found[name] = kept
        ids = [one for kept in found.values() for one in (*kept.texts.values(), kept.final) if one]
        said = await self._ledger.messages_by_id(list(dict.fromkeys(ids))) if ids else {}
        texts = {name: message.content for name, message in said.items()}
        return {name: _with_texts(kept, texts) for name, kept in found.items()}


def _with_texts(kept: Kept, texts: dict[str, str]) -> Kept:
    """A text whose message was erased is empty."""
    one = kept.collaboration
    outputs = tuple(
        replace(output, output=texts.get(kept.texts[key], ""))
        if (key := (output.stage, output.agent_slug)) in kept.texts
        else output
        for output in one.stage_outputs
    )
    final = texts.get(kept.final, "")
    return replace(kept, collaboration=replace(one, stage_outputs=outputs, final_output=final))


# -- folding ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Working:
    agent: str
    stage: str
    status: CollaborationState


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    status: CollaborationState
    stage: str = ""
    error: str = ""
    at: datetime | None = None
    final: str = ""
    origins: tuple[Origin, ...] | None = None
    resumed: datetime | None = None
    left: float | None = None


def folded(rows: Sequence[LogEntry]) -> Kept | None:
    """What the notes of one collaboration come to; None where its beginning was erased. A note that
    is not as they are written says nothing: a log may have come from elsewhere."""
    kept: Kept | None = None
    for row in rows:
        try:
            kept = _after(kept, row, _said(row))
        except ValueError:  # what msgspec raises, and it tells which field
            continue
    return kept


def _said(row: LogEntry) -> dict[str, Any]:
    return row.new if isinstance(row.new, dict) else {}


def _after(kept: Kept | None, row: LogEntry, said: dict[str, Any]) -> Kept | None:
    change = said.get("change")
    if change == _BEGUN:
        return _begun(row, said)
    if kept is None:
        return None
    if change == _WORKING:
        kept, told = _goes_on(kept, row), _as(said, _Working)
        one = replace(kept.collaboration, status=told.status, current_stage=told.stage)
        return replace(kept, collaboration=with_status(one, told.agent, "working"))
    if change == _OUTPUT:
        return _with_output(_goes_on(kept, row), said)
    return _with_state(kept, _as(said, _State)) if change == _STATE else kept


def _begun(row: LogEntry, said: dict[str, Any]) -> Kept:
    named = {"id": row.entity, "conversation": said.get("session"), "created_at": said.get("at")}
    one = _as({**said, **named}, Collaboration)
    by = _as(said["by"], Requester) if said.get("by") else None
    return Kept(collaboration=one, began=one.created_at, requester=by)


def _with_state(kept: Kept, told: _State) -> Kept:
    one = replace(kept.collaboration, current_stage=told.stage)
    if told.resumed is not None:
        again = reopened(one)
        return replace(kept, collaboration=again, began=told.resumed, resumed=kept.resumed + 1)
    one = replace(one, status=told.status, error=told.error, completed_at=told.at)
    if told.origins is not None:
        one = replace(one, origins=told.origins)
    final = told.final or kept.final
    return replace(kept, collaboration=one, final=final, left_s=told.left)


def _goes_on(kept: Kept, row: LogEntry) -> Kept:
    """Its time counts again, where it had waited for the person."""
    if kept.left_s is None:
        return kept
    used = kept.collaboration.max_duration_s - kept.left_s
    return replace(kept, began=row.at - timedelta(seconds=used), left_s=None)


def _with_output(kept: Kept, said: dict[str, Any]) -> Kept:
    text = _as(said.get("text", ""), str)
    output = _as({**said, "output": text}, StageOutput)
    texts = dict(kept.texts)
    if message := _as(said.get("message", ""), str):
        texts[output.stage, output.agent_slug] = message
    return replace(kept, collaboration=with_output(kept.collaboration, output), texts=texts)


def _as(said: Any, kind: type[Value]) -> Value:
    """Raises ValueError for what is no such value."""
    import msgspec

    return msgspec.convert(said, kind)


def with_output(one: Collaboration, output: StageOutput) -> Collaboration:
    """It after a step has ended, well or not."""
    outputs = (*one.stage_outputs, output)
    return with_status(
        replace(
            one,
            stage_outputs=outputs,
            stages_completed=tuple(
                dict.fromkeys(each.stage for each in outputs if each.output or not each.problem)
            ),
            total_tokens=one.total_tokens + output.tokens_used,
            total_cost_usd=one.total_cost_usd + output.cost_usd,
        ),
        output.agent_slug,
        "failed" if output.problem else "completed",
        output.problem,
    )


def with_status(one: Collaboration, slug: str, status: Any, problem: str = "") -> Collaboration:
    people = tuple(
        replace(person, status=status, problem=problem) if person.slug == slug else person
        for person in one.participants
    )
    return replace(one, participants=people)


def reopened(one: Collaboration) -> Collaboration:
    """It as a person has it go on: what failed is done again, and so are the stages after it, which
    had to do without; what they cost stays spent."""
    stages = list(dict.fromkeys(each.stage for each in one.stage_outputs))
    failed = min(
        (stages.index(each.stage) for each in one.stage_outputs if each.problem),
        default=len(stages),
    )
    whole = tuple(
        each
        for each in one.stage_outputs
        if not each.problem and stages.index(each.stage) <= failed
    )
    people = tuple(
        replace(p, status="waiting", problem="") if p.status == "failed" else p
        for p in one.participants
    )
    return replace(
        one,
        status="active",
        error="",
        completed_at=None,
        final_output="",
        participants=people,
        stage_outputs=whole,
    )


# -- what is looked up -----------------------------------------------------------------------------


def _keys(row: LogEntry) -> Iterable[str]:
    said = _said(row)
    change = said.get("change")
    if change == _BEGUN and (month := _month(said)):
        return (_OPEN, _MONTHS, month)
    return (_OPEN,) if change in (_STATE, None) else ()


def _step(key: str, state: State | None, row: LogEntry) -> State:
    said, state = _said(row), state or {}
    begun = said.get("change") == _BEGUN
    if key == _OPEN:
        ids = [one for one in state.get("ids", ()) if one != row.entity]
        goes_on = begun or (said.get("status") not in _ENDS and said)
        return {"ids": [*ids, row.entity] if goes_on else ids}
    if key == _MONTHS:
        return {"months": sorted({*state.get("months", ()), _month(said)})}
    return {"made": [*state.get("made", ()), [said["at"], row.entity]]}


def _month(said: dict[str, Any]) -> str:
    """The key of the month in which one was made; empty where that is no moment."""
    try:
        return f"{parse_time(said['at']):%Y-%m}"
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""


_COLLABORATIONS = Projection(
    name="collaborations", version=1, kinds=(KIND,), keys=_keys, step=_step
)
