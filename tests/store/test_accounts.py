"""What models consumed, by day, agent, model and conversation, is what the notes in the log say."""

import itertools
import os
import time as machine
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.conversations.accounts import (
    CALL,
    TURN,
    call_note,
    cells,
    day_of,
    marks_of,
    month_of,
    spent,
    turn_note,
)
from skill_agent.conversations.figures import Figures, totals, zone_named
from skill_agent.conversations.usage import usage_record, usd
from skill_agent.errors import UsageError
from skill_agent.values import (
    Belongings,
    ExpertScore,
    HomeInfo,
    ModelChoice,
    Note,
    Routing,
    Usage,
)

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
LISBON = ZoneInfo("Europe/Lisbon")
SCORE = ExpertScore(
    agent="kyra", overall=0.9, skill_match=1, past_performance=1, personality_fit=1, load_balance=1
)


@pytest.fixture
def _in_lisbon() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Lisbon"
    machine.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    machine.tzset()


async def call(
    ledger: DuckLedger, at: datetime, agent: str = "kyra", *, session: str = "s", model: str = "m",
    cost: float = 1.0, priced: bool = True,
) -> None:  # fmt: skip
    usage = Usage(model=model, prompt_tokens=10, completion_tokens=1, cost_usd=cost, priced=priced)
    data = call_note(usage, session=session, purpose="reply")
    await noted(ledger, CALL, agent, at, data)


async def turn(ledger: DuckLedger, at: datetime, *, by_call: bool, session: str = "s") -> None:
    told = usage_record(Usage(model="m", prompt_tokens=10, completion_tokens=1, cost_usd=1.0))
    data = {"session": session, **told} | ({"by_call": True} if by_call else {})
    await noted(ledger, TURN, "kyra", at, data)


_numbers = itertools.count()


async def noted(ledger: DuckLedger, kind: str, actor: str, at: datetime, data: dict) -> None:
    """As a note of another time."""
    entity = f"turn-{next(_numbers)}"
    note = Note(kind=kind, entity=entity, actor=actor, at=at, data=data)
    await ledger.import_belongings([Belongings(notes=(note,))], actor="x")


def figures(ledger: DuckLedger, now: datetime) -> Figures:
    def nothing() -> HomeInfo:
        raise AssertionError("nobody asks for it here")

    return Figures(ledger, lambda: now, nothing)


async def test_a_turn_is_not_counted_beside_its_calls(ledger: DuckLedger) -> None:
    await turn(ledger, NOON, by_call=False)  # as of before each call was noted
    await call(ledger, NOON)
    await call(ledger, NOON)
    await turn(ledger, NOON, by_call=True)
    found = await totals(ledger, NOON)
    assert (found.turns, found.total.cost_usd, found.today.cost_usd) == (2, 3.0, 3.0)
    assert found.last.cost_usd == 1.0
    (row,) = (await figures(ledger, NOON).usage(by="agent")).rows
    assert (row.id, row.turns, row.calls, row.prompt_tokens, row.cost_usd) == ("kyra", 2, 2, 30, 3)
    assert await spent(ledger, "kyra", [day_of(NOON)]) == [3.0]


async def test_rows_by_everything(ledger: DuckLedger) -> None:
    await call(ledger, NOON, session="a", cost=2)
    await call(ledger, NOON + timedelta(days=1), session="a", model="n", cost=0, priced=False)
    await call(ledger, NOON, "luke", session="", cost=0.5)
    asked = figures(ledger, NOON + timedelta(days=1))
    wanted = {
        "day": {"2026-03-29": 2.5, "2026-03-30": 0},
        "agent": {"kyra": 2, "luke": 0.5},
        "model": {"m": 2.5, "n": 0},
        "session": {"a": 2, "": 0.5},
    }
    for by, rows in wanted.items():
        found = await asked.usage(by=by, zone="UTC")  # type: ignore[arg-type]
        assert {row.id: row.cost_usd for row in found.rows} == rows
        assert sum(row.calls for row in found.rows) == 3
        assert sum(row.unpriced for row in found.rows) == 1
    (row,) = (await asked.usage(by="agent", agent="luke")).rows
    assert row.cost_usd == 0.5
    (row,) = (await asked.usage(by="model", since=NOON + timedelta(hours=1))).rows
    assert row.id == "n"
    assert (await asked.usage(by="agent", agent="nobody")).rows == ()
    plain = await asked.usage()
    assert (plain.rows, plain.budgets) == ((), ())


async def test_rows_by_how_model_and_agent_were_chosen(ledger: DuckLedger) -> None:
    usage = Usage(model="m", cost_usd=1.0)
    routing = Routing(agent="kyra", confidence=0.9, reason="skill_match", strategy="cascade")
    compared = replace(routing, scores=(SCORE,))
    choice = ModelChoice(tier="powerful", overall=7.8, override="conversation")
    made = turn_note(usage, session="s", routing=compared, choice=choice)
    assert made.items() >= {
        "tier": "powerful", "complexity": 7.8, "tier_override": "conversation",
        "strategy": "cascade", "agents_considered": 1, "by_call": True,
    }.items()  # fmt: skip
    plain = turn_note(usage, session="s", routing=routing, choice=ModelChoice())
    assert plain == {"session": "s", **usage_record(usage), "by_call": True}
    await noted(ledger, TURN, "kyra", NOON, made)
    marks = marks_of(compared, choice)
    for given in (marks, {}, {"tier": "no such", "strategy": "x" * 9_999}):
        data = call_note(usage, session="s", purpose="reply", **given)
        await noted(ledger, CALL, "kyra", NOON, data)
    for by, rows in (("tier", {"powerful": 1, "": 2}), ("strategy", {"cascade": 1, "": 2})):
        found = await figures(ledger, NOON).usage(by=by)  # type: ignore[arg-type]
        assert {row.id: row.calls for row in found.rows} == rows


async def test_days_are_those_of_the_zone_that_is_asked_for(ledger: DuckLedger) -> None:
    late = datetime(2026, 3, 28, 23, 50, tzinfo=UTC)
    await call(ledger, late)
    asked = figures(ledger, late)
    for zone, day in (("UTC", "28"), ("Europe/Berlin", "29"), ("+00:15", "29"), ("-02:00", "28")):
        (row,) = (await asked.usage(by="day", zone=zone)).rows
        assert row.id == f"2026-03-{day}"
        assert (await asked.usage(zone=zone)).today.cost_usd == 1.0


@pytest.mark.usefixtures("_in_lisbon")
async def test_a_day_is_an_hour_shorter_when_the_clocks_go_forward(ledger: DuckLedger) -> None:
    begin, end = day_of(NOON)
    assert (begin, end) == day_of(NOON, LISBON) and end - begin == timedelta(hours=23)
    assert [one.astimezone(LISBON).day for one in month_of(NOON)] == [1, 1]
    assert month_of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))[1].year == 2027
    for moment in (begin - timedelta(seconds=1), begin, end - timedelta(seconds=1), end):
        await call(ledger, moment)
    assert await spent(ledger, "kyra", [day_of(NOON), month_of(NOON)]) == [2.0, 4.0]
    assert (await totals(ledger, NOON)).today.cost_usd == 2.0


async def test_a_month_is_summed_from_days_and_quarter_hours(ledger: DuckLedger) -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    begin, end = month_of(NOON, zone)
    step, moment, inside = timedelta(hours=7, minutes=5), begin - timedelta(days=2), 0
    while moment < end + timedelta(days=2):
        await call(ledger, moment)
        inside += begin <= moment < end
        moment += step
    assert await spent(ledger, "kyra", [(begin, end)]) == [float(inside)]
    assert await spent(ledger, "luke", [(begin, end)]) == [0.0]
    assert len(await cells(ledger, begin, end)) == inside


async def test_a_quarter_hour_keeps_so_many_lines_and_no_more(ledger: DuckLedger) -> None:
    data = [
        call_note(Usage(model=f"m{n}", cost_usd=1.0), session="s", purpose="") for n in range(600)
    ]
    notes = tuple(
        Note(kind=CALL, entity=f"t{n}", actor="kyra", at=NOON, data=one)
        for n, one in enumerate(data)
    )
    await ledger.import_belongings([Belongings(notes=notes)], actor="x")
    rows = (await figures(ledger, NOON).usage(by="model")).rows
    assert len(rows) == 500 and sum(row.cost_usd for row in rows) == 600
    assert await spent(ledger, "kyra", [day_of(NOON)]) == [600.0]


async def test_absurd_figures_are_not_believed(ledger: DuckLedger) -> None:
    for cost in (-5, float(10**12), True, "7", None, [1]):
        data = {"conversation": {"x": 1}, "cost_usd": cost, "prompt_tokens": 10**30}
        await noted(ledger, CALL, "kyra", NOON, data)
    (row,) = (await figures(ledger, NOON).usage(by="session")).rows
    assert (row.id, row.calls, row.cost_usd, row.prompt_tokens) == ("", 6, 0, 0)
    assert await spent(ledger, "kyra", [day_of(NOON)]) == [0.0]


@pytest.mark.parametrize(
    "name", ["Nowhere/Land", "..", "/etc/passwd", "+99:00", "\0", "\ud800", "Europe"]
)
def test_a_zone_there_is_none_of(name: str) -> None:
    with pytest.raises(UsageError, match="no time zone"):
        zone_named(name)


def test_money_in_words() -> None:
    told = [usd(one) for one in (0, 1234.5, 0.1, 0.05, 0.00123, 0.0000004)]
    assert told == ["$0.00", "$1,234.50", "$0.10", "$0.05", "$0.0012", "$0.0000004"]
