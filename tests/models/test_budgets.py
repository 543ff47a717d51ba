"""An agent spends no more than it may, whatever happens to its calls."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from http_fake import Call, Fail, Say, provider
from paying import (
    CHEAP,
    DEAR,
    MIDDLING,
    UNKNOWN,
    ask,
    change_agent,
    end,
    make_home,
    notices,
    opened,
)

from skill_agent.errors import BudgetSpent
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.models.remote import RemoteModel
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Budget, ModelInfo, Purge, Usage

HERE = Path(__file__).parent
REAL = 2 * 0.01
"""What a call of the dear model really costs."""
TEN = "daily_budget_usd = 10.0"

ELSEWHERE = "http://models.example/v1"
"""Reached through the proxy of the environment, which is the provider of the test."""


async def money(runtime: Runtime) -> Budget:
    (found,) = (await runtime.figures.usage(by="agent")).budgets
    return found


async def until(so: Callable[[], bool]) -> None:
    while not so():  # noqa: ASYNC110  it comes about in other tasks and threads
        await asyncio.sleep(0.01)


async def sessions(runtime: Runtime) -> int:
    return (await runtime.figures.counts())["sessions"]


async def test_fifty_calls_at_once_spend_the_money_of_ten(tmp_path: Path) -> None:
    gate = threading.Event()
    with provider(Say(("Hi",), after=gate)) as server:
        async with opened(make_home(tmp_path, server.base, TEN)) as runtime:

            async def one(number: int) -> str:
                try:
                    return type(end(await ask(runtime, f"hi {number}"))).__name__
                except BudgetSpent:
                    return "BudgetSpent"

            calls = [asyncio.create_task(one(number)) for number in range(50)]
            await until(lambda: sum(call.done() for call in calls) == 40)
            during = await money(runtime)
            assert (during.held_usd, during.spent_today_usd) == (pytest.approx(10), 0)
            assert during.left_today_usd == pytest.approx(0)
            gate.set()
            said = await asyncio.gather(*calls)
            assert said.count("TurnFinished") == 10
            assert {*said} <= {"TurnFinished", "TurnFailed", "BudgetSpent"}
            assert len(server.bodies) == 10
            after = await money(runtime)
            assert (after.held_usd, after.spent_today_usd) == (0, pytest.approx(10 * REAL))
            assert isinstance(end(await ask(runtime)), TurnFinished)


async def test_what_is_known_beforehand_leaves_nothing_behind(tmp_path: Path) -> None:
    with provider(Say()) as server:
        async with opened(make_home(tmp_path, server.base, "daily_budget_usd = 0.5")) as runtime:
            with pytest.raises(BudgetSpent) as caught:
                await ask(runtime)
            assert caught.value.message == (
                "Kyra has spent $0.00 of $0.50 today; this call may cost up to $1.00"
            )
            assert "daily_budget_usd under [agents.kyra.model]" in caught.value.hint
            assert "ska usage" in caught.value.hint
            assert await sessions(runtime) == 0 and server.bodies == []


async def test_the_months_money_holds_too(tmp_path: Path) -> None:
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, "monthly_budget_usd = 1.01")
        async with opened(home) as runtime:
            await ask(runtime)
            with pytest.raises(BudgetSpent, match=r"\$0.02 of \$1.01 this month"):
                await ask(runtime)


async def test_a_round_of_tools_that_would_go_over_ends_the_turn(tmp_path: Path) -> None:
    call = Call("http_get", '{"url": "https://example.org"}')
    with provider(call, Say(("Done",))) as server:
        async with opened(make_home(tmp_path, server.base, "daily_budget_usd = 1.01")) as runtime:
            last = end(await ask(runtime, "look it up", interactive=False))
            assert isinstance(last, TurnFailed) and last.reason == "budget"
            assert "$0.02 of $1.01 today" in last.message and "ska usage" in last.hint
            assert len(server.bodies) == 1
            assert (await money(runtime)).spent_today_usd == pytest.approx(REAL)


async def test_nothing_may_be_spent_with_a_budget_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, model in enumerate((DEAR, UNKNOWN)):
        with provider(Say()) as server:
            monkeypatch.setenv("HTTP_PROXY", server.base.removesuffix("/v1"))
            home = make_home(tmp_path / str(number), ELSEWHERE, "daily_budget_usd = 0", model=model)
            async with opened(home) as runtime:
                with pytest.raises(BudgetSpent, match="may spend nothing"):
                    await ask(runtime)
                assert server.bodies == []


async def test_a_raised_limit_counts_at_once(tmp_path: Path) -> None:
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 0.5")
        async with opened(home) as runtime:
            with pytest.raises(BudgetSpent):
                await ask(runtime)
            change_agent(home, TEN)
            assert isinstance(end(await ask(runtime)), TurnFinished)


# -- calls that do not end -----------------------------------------------------------------------


async def test_a_call_that_failed_gives_its_money_back(tmp_path: Path) -> None:
    with provider(Fail(500), Fail(400), Say()) as server:
        async with opened(make_home(tmp_path, server.base, "daily_budget_usd = 1.0")) as runtime:
            for _ in range(2):
                assert isinstance(end(await ask(runtime)), TurnFailed)
            assert (await money(runtime)).left_today_usd == 1.0
            assert isinstance(end(await ask(runtime)), TurnFinished)


async def test_a_call_stopped_before_its_first_word_gives_its_money_back(tmp_path: Path) -> None:
    gate = threading.Event()
    with provider(Say(after=gate)) as server:
        async with opened(make_home(tmp_path, server.base, TEN)) as runtime:
            begun = await runtime.turns.submit("hi")
            await until(lambda: bool(server.bodies))
            assert (await money(runtime)).held_usd == 1.0
            await runtime.turns.cancel(begun.turn)
            assert await money(runtime) == Budget(
                id="kyra", name="Kyra", daily_usd=10, monthly_usd=100, left_today_usd=10,
                left_month_usd=100,
            )  # fmt: skip
            gate.set()


async def test_words_that_came_are_paid_for_though_the_call_broke_off(tmp_path: Path) -> None:
    with provider(Say(("word " * 12, "more"), drop_after=1)) as server:
        async with opened(make_home(tmp_path, server.base, TEN)) as runtime:
            assert isinstance(end(await ask(runtime)), TurnFailed)
            found = await money(runtime)
            assert found.held_usd == 0 and found.spent_today_usd == pytest.approx(20 * 0.01)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": 10**30, "completion_tokens": 10**9, "total_tokens": 1},
        {"prompt_tokens": -5, "completion_tokens": -5, "total_tokens": -10},
    ],
)
async def test_a_provider_that_tells_nonsense_is_paid_for_what_it_said(
    tmp_path: Path, usage: dict[str, int]
) -> None:
    with provider(Say(("six ch", "ars..."), usage=usage)) as server:
        async with opened(make_home(tmp_path, server.base, TEN)) as runtime:
            last = end(await ask(runtime))
            assert isinstance(last, TurnFinished)
            assert 0 < (await money(runtime)).spent_today_usd <= 1
            assert 0 < last.usage.cost_usd <= 1


@pytest.mark.deep
def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    gate = threading.Event()
    with provider(Say(), Say(after=gate)) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 1.03")
        command = [sys.executable, str(HERE / "dies_paying.py"), str(home.root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            process.send_signal(signal.SIGKILL)
        gate.set()

        async def again() -> None:
            async with opened(home) as runtime:
                found = await money(runtime)
                assert found.held_usd == 0
                assert found.spent_today_usd == pytest.approx(REAL), "the first turn ended"
                assert isinstance(end(await ask(runtime)), TurnFinished)
                with pytest.raises(BudgetSpent):
                    await ask(runtime)

        asyncio.run(again())


# -- what serves instead -------------------------------------------------------------------------


async def test_the_dearest_tier_that_fits_serves_instead(tmp_path: Path) -> None:
    roles = {"roles.fast": CHEAP, "roles.balanced": MIDDLING, "roles.powerful": DEAR}
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 0.407", **roles)
        async with opened(home) as runtime:
            events = await ask(runtime)
            assert isinstance(end(events), TurnFinished)
            (told,) = notices(events)
            assert told == (
                "Kyra has spent $0.00 of $0.41 today; this call may cost up to $1.00; "
                f"{MIDDLING} answers"
            )
            assert (await money(runtime)).spent_today_usd == pytest.approx(2 * 0.004)
            assert notices(await ask(runtime))[0].endswith(f"{CHEAP} answers")
            assert [one["model"] for one in server.bodies] == ["paid-middling", "paid-cheap"]


async def test_its_own_tiers_stand_in_no_higher_than_its_highest(tmp_path: Path) -> None:
    tiers = f'[{{ tier = "powerful", model_name = "{CHEAP}" }}]'
    more = f"daily_budget_usd = 0.5\ncustom_tiers = {tiers}\n"
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, more)
        async with opened(home) as runtime:
            assert isinstance(end(await ask(runtime)), TurnFinished)
            change_agent(home, more + 'max_tier = "balanced"')
            with pytest.raises(BudgetSpent):
                await ask(runtime)


async def test_a_model_of_ones_own_is_never_refused(tmp_path: Path) -> None:
    own = ScriptedModel(otherwise="From here.", name="embedded/own")
    with provider(Say()) as server:
        dear = RemoteModel(ModelInfo(name=DEAR, provider="openai"), timeout_s=60, base=server.base)
        gateway = ScriptedGateway({DEAR: dear, "embedded/own": own})
        home = make_home(tmp_path, server.base, "daily_budget_usd = 0", fallback=["embedded/own"])
        async with opened(home, gateway=gateway) as runtime:
            events = await ask(runtime)
            last = end(events)
            assert isinstance(last, TurnFinished) and last.text == "From here."
            assert notices(events) == [
                "Kyra may spend nothing (daily_budget_usd is 0); this call may cost up to $1.00; "
                "embedded/own answers"
            ]
            assert isinstance(end(await ask(runtime, model="embedded/own")), TurnFinished)
            assert server.bodies == []


async def test_what_reads_and_sums_up_pays_from_the_agents_money(tmp_path: Path) -> None:
    with provider(Say(("{}",))) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 1.03")
        async with opened(home) as runtime:
            await ask(runtime, "My dentist's practice moved to the harbour after the flood")
            (job, *_) = await runtime.extractions.run("latest", again=True)
            assert job.state == "failed" and "Kyra has spent $" in job.error
            notes = await runtime.ledger.log(kinds=("call_usage",))
            purposes = [(row.new or {})["purpose"] for row in notes]
            assert purposes[0] == "reply" and {*purposes[1:]} <= {"extraction"}


async def test_a_server_of_one_s_own_costs_nothing_where_no_price_is_known(tmp_path: Path) -> None:
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 0", model=UNKNOWN)
        async with opened(home) as runtime:
            told = await ask(runtime)
            last = end(told)
            assert isinstance(last, TurnFinished) and last.usage.priced
            assert notices(told) == []


async def test_a_price_nobody_knows_is_told_once_and_counted_as_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provider(Say()) as server:
        monkeypatch.setenv("HTTP_PROXY", server.base.removesuffix("/v1"))
        async with opened(make_home(tmp_path, ELSEWHERE, model=UNKNOWN)) as runtime:
            first = await ask(runtime)
            (told,) = notices(first)
            assert told == f"no price is known for {UNKNOWN}: what it costs is not counted"
            last = end(first)
            assert isinstance(last, TurnFinished) and not last.usage.priced
            assert notices(await ask(runtime, session="latest")) == []
            assert len(notices(await ask(runtime))) == 1, "another conversation"
            (row,) = (await runtime.figures.usage(by="model")).rows
            assert (row.id, row.calls, row.unpriced, row.cost_usd) == (UNKNOWN, 3, 3, 0)
            assert not (await runtime.figures.usage()).total.priced


# -- what the ledger says ------------------------------------------------------------------------


class Moved:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def test_money_comes_back_with_the_next_day_and_month(tmp_path: Path) -> None:
    clock = Moved(datetime(2026, 3, 30, 12, tzinfo=UTC))
    more = "daily_budget_usd = 1.01\nmonthly_budget_usd = 1.03"
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, more)
        async with opened(home, clock=clock) as runtime:
            await ask(runtime)
            with pytest.raises(BudgetSpent, match="today"):
                await ask(runtime)
            clock.now += timedelta(days=1)
            await ask(runtime)
            with pytest.raises(BudgetSpent, match="today"):
                await ask(runtime)
            clock.now += timedelta(days=2)
            assert (await money(runtime)).spent_month_usd == 0


async def test_what_was_spent_outlives_what_was_said(tmp_path: Path) -> None:
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, TEN)
        async with opened(home) as runtime:
            await ask(runtime)
            (session,) = await runtime.conversations.list()
            await runtime.ledger.purge(Purge(sessions=(session.id,), actor="person"))
            assert (await money(runtime)).spent_today_usd == pytest.approx(REAL)
        async with opened(home) as runtime:
            assert (await money(runtime)).spent_today_usd == pytest.approx(REAL)
            total = (await runtime.figures.usage()).total
            assert total.cost_usd == pytest.approx(REAL)


async def test_a_failed_turns_calls_are_in_the_figures(tmp_path: Path) -> None:
    call = Call("http_get", '{"url": "https://example.org"}')
    with provider(call, Fail(400)) as server:
        async with opened(make_home(tmp_path, server.base, TEN)) as runtime:
            last = end(await ask(runtime, "look it up", interactive=False))
            assert isinstance(last, TurnFailed)
            (row,) = (await runtime.figures.usage(by="session")).rows
            assert (row.id, row.turns, row.calls) == (last.session, 0, 1)
            assert row.cost_usd == pytest.approx(REAL)
            assert (await runtime.figures.usage()).last == Usage()
