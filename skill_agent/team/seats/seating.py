"""Who sits in a conversation, folded from the ledger's notes; nothing here writes.

What a note of a seat says is nobody's words, so that it outlives what is erased of the talk; why
a conversation went over, and what was told with it, stands in a note of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry, Seat, SeatMoment, SeatMove, Session

SEAT = "team.seat"
"""Kind of the note of one change; its entity is the conversation."""
HANDOFF = "team.handoff"
"""Kind of the note that tells why a conversation went over; its entity is the change's id."""
SEATED = "team.seated"
"""Kind of the note that a change is whole; its entity is the conversation. It goes along where a
conversation is taken to another home, as what the ledger writes of its agent does not."""
_SET = "session.agent_set"
_UNFINISHED = "unfinished"
"""Under this key stand the conversations whose new agent is not set yet."""
_MOVES: tuple[SeatMove, ...] = get_args(SeatMove)
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """That a conversation went from one agent to another."""

    id: str
    came_from: str
    agent: str
    after: int
    turn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """Who sits in one conversation, and how it came there."""

    lead: str
    """Who answers where nobody else is meant."""
    seats: tuple[Seat, ...]
    """One a stay, in the order of joining."""
    came: tuple[Passing, ...] = ()
    """By whom it was given to whom, as far as it can go back that way; the newest last."""
    passed: tuple[Passing, ...] = ()
    """Every time it went over, the oldest first."""

    @property
    def seated(self) -> tuple[str, ...]:
        """Those who take part now, whoever leads first."""
        here = [one.id for one in self.seats if one.left_at is None]
        return tuple(sorted(dict.fromkeys(here), key=lambda slug: slug != self.lead))

    @property
    def before(self) -> str | None:
        """The agent it goes back to."""
        return self.came[-1].came_from if self.came else None

    def goes_back_to(self, agent: str) -> bool:
        return self.before == agent != self.lead

    def was_here(self, agent: str) -> bool:
        return any(one.id == agent for one in self.seats)


async def seating_of(ledger: Ledger, session: Session) -> Seating:
    """A conversation of which nothing was noted has its agent alone."""
    found = await ledger.projected(PROJECTION, [session.id])
    state = found.get(session.id)
    only = Seat(id=session.agent, role="primary", joined_at=session.created_at)
    if not state or not state.get("stays"):
        return Seating(lead=session.agent, seats=(only,))
    known = tuple(_seat(one, session.created_at) for one in state["stays"])
    lead = str(state.get("open") or session.agent)
    if lead not in [one.id for one in known if one.left_at is None]:
        known = (*known, replace(only, id=lead))
    return Seating(
        lead=lead,
        seats=known,
        came=tuple(Passing(**one) for one in state["came"]),
        passed=tuple(Passing(**one) for one in state["passed"]),
    )


async def unfinished(ledger: Ledger) -> dict[str, str]:
    """Conversations that went over without their agent being set, each with the new one."""
    found = await ledger.projected(PROJECTION, [_UNFINISHED])
    return dict(found.get(_UNFINISHED, {}))


async def moments_of(ledger: Ledger, session: str) -> list[SeatMoment]:
    """Every change of a conversation's seats, the oldest first."""
    rows = await ledger.log(session, kinds=(SEAT, HANDOFF), limit=_MOST)
    texts = {row.entity: row.new or {} for row in rows if row.kind == HANDOFF}
    found = (_moment(row, texts) for row in rows if row.kind == SEAT and row.entity == session)
    return [one for one in found if one is not None]


async def texts_of(ledger: Ledger, session: str) -> dict[str, dict[str, Any]]:
    """What was told with each time it went over, by the change's id; erased ones are missing."""
    rows = await ledger.log(session, kinds=(HANDOFF,), limit=_MOST)
    return {row.entity: row.new for row in rows if row.new}


def _moment(row: LogEntry, texts: dict[str, dict[str, Any]]) -> SeatMoment | None:
    if (said := _said(row)) is None:
        return None
    return SeatMoment(
        id=said["id"],
        at=row.at,
        move=said["move"],
        agent=said["agent"],
        came_from=said["from"],
        reason=str(texts.get(said["id"], {}).get("reason") or ""),
        turn=said["turn"],
    )


# -- how it is folded ----------------------------------------------------------------------------


def _said(row: LogEntry) -> dict[str, Any] | None:
    """What a note of a seat says; None for one that says nothing, or nothing that can be."""
    said = row.new or {}
    texts = {name: said.get(name) for name in ("id", "move", "agent", "from", "turn", "next")}
    texts = {name: one if isinstance(one, str) else "" for name, one in texts.items()}
    if texts["move"] not in _MOVES or not texts["agent"] or not texts["id"]:
        return None
    after = said.get("after")
    return {**texts, "after": after if type(after) is int else -1, "lead": _text(said, "lead")}


def _text(said: dict[str, Any], name: str) -> str:
    found = said.get(name)
    return found if isinstance(found, str) else ""


def _keys(row: LogEntry) -> tuple[str, ...]:
    return (row.entity, _UNFINISHED)


def _step(key: str, state: State | None, row: LogEntry) -> State:
    new_lead = _new_lead(row)
    if key == _UNFINISHED and row.entity != _UNFINISHED:
        rest = {name: agent for name, agent in (state or {}).items() if name != row.entity}
        return {**rest, row.entity: new_lead} if new_lead else rest
    state = state or {"stays": [], "came": [], "passed": [], "open": ""}
    if row.kind == SEATED:
        return {**state, "open": ""}
    return _set_by_hand(state, row) if row.kind == _SET else _changed(state, row)


def _new_lead(row: LogEntry) -> str:
    """The agent that is to be set after this row."""
    said = _said(row) if row.kind == SEAT else None
    return said["next"] if said else ""


def _set_by_hand(state: State, row: LogEntry) -> State:
    """Who a person makes the one who answers takes the other's place, and it goes back nowhere."""
    agent, old = _text(row.new or {}, "agent"), _text(row.old or {}, "agent")
    if not agent or agent == state["open"]:
        return {**state, "open": ""}
    stays = state["stays"] or ([_stay(old, "primary", "")] if old else [])
    seated = [one["agent"] for one in stays if not one["left"]]
    at = iso(row.at)
    if agent not in seated:
        stays = [*_left(stays, old, at), _stay(agent, "primary", at)]
    return {**state, "stays": _led(stays, agent), "came": [], "open": ""}


def _changed(state: State, row: LogEntry) -> State:
    if (said := _said(row)) is None:
        return state
    at, agent, before = iso(row.at), said["agent"], said["from"]
    stays = state["stays"] or ([_stay(said["lead"], "primary", "")] if said["lead"] else [])
    seated = [one["agent"] for one in stays if not one["left"]]
    match said["move"]:
        case "left":
            left = _left(stays, agent, at)
            return {**state, "stays": _led(left, said["next"]), "open": said["next"]}
        case "leads":
            stays = _left(stays, before, at, role="handoff_source")
            if agent not in seated:
                stays = [*stays, _stay(agent, "primary", at)]
            return _gone_over({**state, "stays": _led(stays, agent)}, said)
        case _:
            joined = [] if agent in seated else [_stay(agent, "invited", at)]
            return {**state, "stays": [*stays, *joined]}


def _gone_over(state: State, said: dict[str, Any]) -> State:
    """It goes back by the way it came, or one step further."""
    way = Passing(
        id=said["id"],
        came_from=said["from"],
        agent=said["agent"],
        after=said["after"],
        turn=said["turn"],
    )
    step = {name: getattr(way, name) for name in Passing.__slots__}
    came = state["came"]
    back = bool(came) and (came[-1]["came_from"], came[-1]["agent"]) == (way.agent, way.came_from)
    came = came[:-1] if back else [*came, step]
    return {**state, "came": came, "passed": [*state["passed"], step], "open": said["next"]}


def _stay(agent: str, role: str, joined: str) -> dict[str, str]:
    return {"agent": agent, "role": role, "joined": joined, "left": ""}


def _left(
    stays: Sequence[dict[str, str]], agent: str, at: str, *, role: str = ""
) -> list[dict[str, str]]:
    return [
        {**one, "left": at, "role": role or one["role"]}
        if one["agent"] == agent and not one["left"]
        else one
        for one in stays
    ]


def _led(stays: Sequence[dict[str, str]], agent: str) -> list[dict[str, str]]:
    """Nobody is primary beside who leads."""
    if not agent:
        return [*stays]
    return [
        one if one["left"] else {**one, "role": "primary" if one["agent"] == agent else "invited"}
        for one in stays
    ]


def _seat(stay: dict[str, Any], begun: datetime) -> Seat:
    """One of the first stay joined when the conversation began."""
    return Seat(
        id=stay["agent"],
        role=stay["role"],
        joined_at=parse_time(stay["joined"]) if stay["joined"] else begun,
        left_at=parse_time(stay["left"]) if stay["left"] else None,
    )


PROJECTION = Projection(
    name="seating", version=1, kinds=(SEAT, SEATED, _SET), keys=_keys, step=_step
)
