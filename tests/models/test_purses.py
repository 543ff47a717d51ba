"""Purses within purses: whatever is asked at once, nobody takes more than there is."""

import asyncio
import threading
from pathlib import Path

import pytest
from http_fake import Say, provider
from hypothesis import given, settings
from hypothesis import strategies as st
from paying import ROOM, ask, end, make_home, opened

from skill_agent.errors import BudgetExhausted
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.models.money.purses import Drawn, Purse

CENT = 0.01


def priced(room: int) -> float:
    return room * CENT


async def test_what_is_drawn_is_drawn_from_all_around() -> None:
    tree = Purse("the tree", usd=1.0, tokens=100)
    child = Purse("a task", around=tree)
    drawn = await child.draw(40, priced)
    assert (tree.held_usd, tree.left_tokens, child.left_tokens) == (pytest.approx(0.4), 60, 60)
    drawn.settle(0.1, 10)
    drawn.settle(5.0, 500)  # once is enough
    assert (tree.spent_usd, tree.held_usd) == (pytest.approx(0.1), pytest.approx(0))
    assert (tree.spent_tokens, child.own_tokens, tree.own_tokens) == (10, 10, 0)
    (await child.draw(40, priced)).release()
    assert tree.left_usd == pytest.approx(0.9) and tree.left_tokens == 90


async def test_money_of_its_own_is_set_aside_and_comes_back() -> None:
    tree = Purse("the tree", usd=1.0)
    child = Purse("a task", usd=0.6, around=tree)
    other = Purse("another", usd=0.6, around=tree)
    assert (child.usd, other.usd, tree.left_usd) == (0.6, pytest.approx(0.4), pytest.approx(0))
    drawn = await child.draw(50, priced)
    with pytest.raises(BudgetExhausted, match="a task"):
        await child.draw(20, priced)
    child.close()
    assert tree.left_usd == pytest.approx(0.6)
    drawn.settle(0.5, 50)  # known only after the task was over
    assert tree.left_usd == pytest.approx(0.1) and tree.spent_usd == pytest.approx(0.5)
    with pytest.raises(BudgetExhausted, match="is over"):
        await child.draw(1, priced)
    with pytest.raises(BudgetExhausted, match="is over"):
        Purse("a child", around=child)


async def test_tokens_that_others_hold_are_waited_for() -> None:
    tree = Purse("the tree", tokens=100)
    one, other = Purse("one", around=tree), Purse("other", around=tree)
    first = await one.draw(100, priced)
    waiting = asyncio.create_task(other.draw(50, priced))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.settle(0.0, 80)
    assert (await waiting).tokens == 20
    (await_last := asyncio.create_task(one.draw(5, priced)))
    await asyncio.sleep(0)
    await_last.cancel()
    await asyncio.wait([await_last])
    assert tree.held_tokens == 20


async def test_what_costs_nothing_needs_no_money() -> None:
    purse = Purse("a task", usd=0.0)
    assert (await purse.draw(10, lambda _: 0.0)).tokens == 10
    with pytest.raises(BudgetExhausted):
        await purse.draw(10, priced)


TREES = st.recursive(
    st.just(()), lambda inner: st.lists(inner, min_size=1, max_size=3).map(tuple), max_leaves=8
)
CAPS = st.tuples(st.one_of(st.none(), st.floats(0, 2)), st.one_of(st.none(), st.integers(1, 200)))


@settings(deadline=None, max_examples=80)
@given(tree=TREES, data=st.data())
def test_whatever_the_tree_no_cap_is_gone_beyond_by_more_than_a_call_each(
    tree: tuple[object, ...], data: st.DataObject
) -> None:
    asyncio.run(_spend(tree, data))


async def _spend(tree: tuple[object, ...], data: st.DataObject) -> None:
    purses: list[Purse] = []

    def grow(shape: object, around: Purse | None) -> None:
        usd, tokens = data.draw(CAPS)
        try:
            made = Purse(f"purse {len(purses)}", usd=usd, tokens=tokens, around=around)
        except BudgetExhausted:
            return
        purses.append(made)
        for one in shape:  # type: ignore[attr-defined]
            grow(one, made)

    grow(tree, None)
    over: dict[Purse, float] = {}
    open_calls: list[tuple[Purse, Drawn]] = []
    for _ in range(data.draw(st.integers(1, 30))):
        purse = data.draw(st.sampled_from(purses))
        try:
            async with asyncio.timeout(0):
                drawn = await purse.draw(data.draw(st.integers(1, 60)), priced)
        except (BudgetExhausted, TimeoutError):
            continue
        open_calls.append((purse, drawn))
        if open_calls and data.draw(st.booleans()):
            _settled(open_calls.pop(data.draw(st.integers(0, len(open_calls) - 1))), data, over)
        for one in purses:
            _holds(one, over.get(one, 0.0))
    while open_calls:
        _settled(open_calls.pop(), data, over)
    for one in reversed(purses):
        one.close()
        _holds(one, over.get(one, 0.0))
    for one in purses:
        assert one.held_usd == pytest.approx(0, abs=1e-6) and one.held_tokens == 0


def _settled(call: tuple[Purse, Drawn], data: st.DataObject, over: dict[Purse, float]) -> None:
    """A provider may tell of more than was asked for: that is the difference."""
    purse, drawn = call
    more = data.draw(st.sampled_from([0.0, 0.0, 0.3]))
    usd = drawn.usd + more
    for one in purse.all_around:
        over[one] = over.get(one, 0.0) + more
    drawn.settle(usd, drawn.tokens)


def _holds(purse: Purse, over: float) -> None:
    if purse.usd is not None:
        assert purse.spent_usd + purse.held_usd <= purse.usd + over + 1e-6
    if purse.tokens is not None:
        assert purse.spent_tokens + purse.held_tokens <= purse.tokens


async def test_fifty_calls_at_once_take_the_money_of_ten_from_a_purse(tmp_path: Path) -> None:
    gate = threading.Event()
    with provider(Say(("Hi",), after=gate)) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 1000.0")
        async with opened(home) as runtime:
            purses = runtime._budgets.purses
            tree = Purse("the tree", usd=10 * ROOM * CENT)
            children = [Purse(f"task {n}", around=tree) for n in range(5)]

            async def one(number: int) -> TurnFinished | TurnFailed:
                key = f"00000000-0000-7000-8000-{number:012}"
                with purses.tied(key, children[number % 5]):
                    return end(await ask(runtime, f"hi {number}", key=key))

            calls = [asyncio.create_task(one(number)) for number in range(50)]
            while sum(call.done() for call in calls) < 40:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert tree.held_usd == pytest.approx(10) and tree.spent_usd == 0
            gate.set()
            said = await asyncio.gather(*calls)
            failed = [one for one in said if isinstance(one, TurnFailed)]
            assert len(said) - len(failed) == 10 == len(server.bodies)
            assert {one.reason for one in failed} == {"budget"}
            assert tree.held_usd == pytest.approx(0)
            assert tree.spent_usd == pytest.approx(10 * 2 * CENT)
