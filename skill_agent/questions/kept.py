"""Questions as the ledger keeps them: a note for each state, folded to one state by question.

Texts are masked before they are kept. A question goes with the conversation it was asked in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.checks import sound_text
from skill_agent.values import (
    ANSWER_ACTIONS,
    ORIGINS,
    LogEntry,
    Question,
    QuestionSource,
    QuestionState,
)

KIND = "question"
"""Of the note; its entity is the question."""
_OPEN, _MONTHS = "open", "months"
_SHORTEST_REF = 6
_LATELY = 200
"""So many questions are looked through for the beginning of an id."""
_STATES, _SOURCES = get_args(QuestionState), get_args(QuestionSource)
_TEXTS = ("text", "detail", "about", "agent", "turn", "words", "by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A question, and what is nobody's business but ours."""

    question: Question
    asker: str | None = None
    """The API key whose work asks."""
    filed: bool = False
    """It lies in the inbox."""

    @property
    def waits(self) -> bool:
        return self.question.state == "waiting"


class KeptQuestions:
    """Every question of a home."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def save(self, kept: Kept) -> None:
        """A new question."""
        one = kept.question
        data = {
            "text": one.text,
            "detail": one.detail,
            "source": one.source,
            "about": one.about,
            "default": one.default,
            "agent": one.agent,
            "turn": one.turn,
            "origins": list(one.origins),
            "chain": list(one.chain),
            "asker": kept.asker,
            "expires": iso(one.expires),
            **_always(one),
        }
        await self._ledger.note(KIND, one.id, actor=one.agent or "host", data=data)

    async def settle(self, one: Question) -> None:
        """What it has come to."""
        data = {
            "action": one.action,
            "words": one.words,
            "by": one.by,
            "answered_at": iso(one.answered_at) if one.answered_at else None,
            **_always(one),
        }
        await self._ledger.note(KIND, one.id, actor=one.by or "host", data=data)

    async def file(self, one: Question) -> None:
        """It lies in the inbox."""
        await self._ledger.note(KIND, one.id, actor="host", data={"filed": True, **_always(one)})

    async def get(self, question: str) -> Kept | None:
        """By its exact id."""
        return (await self._some([question])).get(question)

    async def open(self) -> list[Kept]:
        """Those that wait, the oldest first."""
        found = (await self._some(await self._under(_OPEN))).values()
        return sorted((one for one in found if one.waits), key=_age)

    async def latest(self, limit: int) -> list[Kept]:
        """The newest first."""
        ids: list[str] = []
        for month in sorted(await self._state(_MONTHS), reverse=True):
            made = await self._state(month)
            ids += sorted(made, key=lambda one: (made[one], one), reverse=True)
            if len(ids) >= limit:
                break
        return list((await self._some(ids[:limit])).values())

    async def find(self, ref: str) -> Kept:
        """By its id or the beginning of it. Raises NotFound, and UsageError where several fit."""
        ref = ref.strip().lower()
        sound_text(ref, "the question's id")
        if ref and (exact := await self.get(ref)) is not None:
            return exact
        lately = await self.latest(_LATELY) if len(ref) >= _SHORTEST_REF else []
        match [one for one in lately if one.question.id.startswith(ref)]:
            case [one]:
                return one
            case []:
                raise NotFound(f"no question {ref!r}", hint="ska questions list")
            case several:
                named = ", ".join(one.question.id for one in several[:5])
                raise UsageError(f"{ref!r} fits {len(several)} questions", hint=f"use {named}")

    async def _some(self, ids: Iterable[str]) -> dict[str, Kept]:
        wanted = list(dict.fromkeys(ids))
        states = await self._states([f"question {one}" for one in wanted])
        found = {one: _read(one, states.get(f"question {one}")) for one in wanted}
        return {name: kept for name, kept in found.items() if kept is not None}

    async def _under(self, key: str) -> list[str]:
        return sorted(await self._state(key))

    async def _state(self, key: str) -> State:
        return (await self._states([key])).get(key, {})

    async def _states(self, keys: Sequence[str]) -> Mapping[str, State]:
        return await self._ledger.projected(_QUESTIONS, keys) if keys else {}


def _age(kept: Kept) -> tuple[Any, str]:
    return kept.question.created_at, kept.question.id


def _always(one: Question) -> dict[str, Any]:
    """What each note says: with which conversation it goes, when it was made, how it stands."""
    return {"session": one.session, "made": iso(one.created_at), "state": one.state}


def _read(name: str, state: State | None) -> Kept | None:
    """The question a state tells of; None where it is gone, or is none."""
    try:
        return _question(name, state) if state else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _question(name: str, state: State) -> Kept:
    told = {key: state.get(key) or "" for key in _TEXTS}
    action, session, asker = state.get("action"), state.get("session"), state.get("asker")
    sound = (
        all(isinstance(one, str) for one in told.values())
        and state["state"] in _STATES
        and state["source"] in _SOURCES
        and state["default"] in ANSWER_ACTIONS
        and action in (None, *ANSWER_ACTIONS)
        and all(one is None or isinstance(one, str) for one in (session, asker))
    )
    if not sound:
        raise ValueError("not what was written")
    question = Question(
        id=name,
        text=told["text"],
        source=state["source"],
        default=state["default"],
        state=state["state"],
        session=session,
        action=cast(Any, action),
        origins=tuple(one for one in ORIGINS if one in (state.get("origins") or ())),
        chain=tuple(str(one) for one in state.get("chain") or ()),
        created_at=parse_time(state["made"]),
        expires=parse_time(state["expires"]),
        answered_at=parse_time(state["answered_at"]) if state.get("answered_at") else None,
    )
    rest = {key: told[key] for key in _TEXTS if key != "text"}
    return Kept(question=replace(question, **rest), asker=asker, filed=state.get("filed") is True)


# -- the fold ------------------------------------------------------------------------------------


def _told(row: LogEntry) -> dict[str, Any] | None:
    """What a row of ours says; None for one that was erased, or is none of ours."""
    new = row.new
    if not isinstance(new, dict) or not isinstance(made := new.get("made"), str):
        return None
    try:
        parse_time(made)
    except (ValueError, OverflowError):
        return None
    return new if len(made) == len("2026-11-30T09:00:00.000000Z") else None


def _keys(row: LogEntry) -> Iterable[str]:
    yield from (f"question {row.entity}", _OPEN)
    if (told := _told(row)) is not None:
        yield from (_MONTHS, told["made"][:7])


def _step(key: str, state: State | None, row: LogEntry) -> State:
    read, known = _told(row), state or {}
    told = read or {}
    if key.startswith("question "):
        # One whose answer was erased must not wait for another; it goes whole.
        return {} if read is None else {**known, **told}
    if key == _OPEN:
        rest = {name: True for name in known if name != row.entity}
        return {**rest, row.entity: True} if told.get("state") == "waiting" else rest
    if key == _MONTHS:
        return {**known, told["made"][:7]: True}
    return {**known, row.entity: told["made"]}


_QUESTIONS = Projection(name="questions", version=1, kinds=(KIND,), keys=_keys, step=_step)
