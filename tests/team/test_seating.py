"""How seats are folded from the log, whatever stands in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skill_agent.ports.projections import State
from skill_agent.team.seats.seating import PROJECTION, SEAT, SEATED
from skill_agent.values import LogEntry

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
AGENTS = ("kyra", "luke", "ada")
ODD: st.SearchStrategy[Any] = st.none() | st.integers() | st.text(max_size=5) | st.just([])
MOVES = st.tuples(
    st.sampled_from(("invited", "joined", "left", "leads", "by hand")), st.sampled_from(AGENTS)
)
NAMES = ("id", "move", "agent", "from", "lead", "turn", "after", "next", "session")


def row(seq: int, kind: str, new: Any, *, old: Any = None, entity: str = "s") -> LogEntry:
    return LogEntry(
        seq=seq, at=NOW + timedelta(seconds=seq), kind=kind, entity=entity, actor="person",
        reason="", old=old, new=new, hash="",
    )  # fmt: skip


def folded(rows: list[LogEntry]) -> dict[str, State]:
    states: dict[str, State] = {}
    for one in rows:
        for key in PROJECTION.keys(one):
            states[key] = PROJECTION.step(key, states.get(key), one)
    return states


@given(moves=st.lists(MOVES, max_size=20))
def test_one_leads_of_those_who_take_part(moves: list[tuple[str, str]]) -> None:
    """As `keeping` writes it: who is asked to go there or to leave."""
    here, lead, rows = ["kyra"], "kyra", list[LogEntry]()
    for number, (move, agent) in enumerate(moves):
        said = {"id": f"i{number}", "move": move, "agent": agent, "from": "", "lead": lead,
                "turn": "", "after": number, "next": ""}  # fmt: skip
        if move == "by hand" and agent != lead:
            rows.append(row(number, "session.agent_set", {"agent": agent}, old={"agent": lead}))
            here = [*(one for one in here if agent in here or one != lead)]
            here, lead = list(dict.fromkeys([*here, agent])), agent
        elif move in ("invited", "joined") and agent not in here:
            here.append(agent)
            rows.append(row(number, SEAT, said))
        elif move == "left" and agent in here and len(here) > 1:
            here.remove(agent)
            lead = here[0] if agent == lead else lead
            rows.append(row(number, SEAT, {**said, "next": lead if agent == said["lead"] else ""}))
        elif move == "leads" and agent != lead:
            rows.append(row(number, SEAT, {**said, "from": lead, "next": agent}))
            here = list(dict.fromkeys([*(one for one in here if one != lead), agent]))
            lead = agent
    if not rows:
        return
    stays = [one for one in folded(rows)["s"]["stays"] if not one["left"]]
    assert sorted(one["agent"] for one in stays) == sorted(here)
    assert [one["agent"] for one in stays if one["role"] == "primary"] == [lead]


@given(
    payloads=st.lists(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from((*AGENTS, "leads", "left")) | ODD)
        | st.none(),
        max_size=12,
    ),
    kinds=st.lists(st.sampled_from((SEAT, SEATED, "session.agent_set")), min_size=12, max_size=12),
)
def test_nothing_in_a_row_stands_in_the_way(payloads: list[Any], kinds: list[str]) -> None:
    rows = [
        row(at, kind, new, old=new, entity=("s", "unfinished")[at % 2])
        for at, (kind, new) in enumerate(zip(kinds, payloads, strict=False))
    ]
    for key, state in folded(rows).items():
        if key == "s":
            assert {*state} == {"stays", "came", "passed", "open"}
