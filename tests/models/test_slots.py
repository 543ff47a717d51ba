"""Who gets which slot, without any model."""

import asyncio

import pytest

from skill_agent.models.local.slots import Slot, SlotBoard, common_prefix

KYRA, LUKE = "system kyra|", "system luke|"


def never() -> bool:
    return False


def always() -> bool:
    return True


async def held(board: SlotBoard, text: str, prefix: str) -> Slot:
    """Runs a request that leaves `text` in its slot."""
    slot = await board.take(text, prefix, restorable=always)
    slot.text = text
    board.give_back(slot)
    return slot


async def test_a_conversation_goes_on_in_its_slot() -> None:
    board = SlotBoard(2)
    kyra = await held(board, KYRA + "hi. hello!", KYRA)
    luke = await held(board, LUKE + "review. no.", LUKE)
    assert kyra is not luke
    again = await board.take(KYRA + "hi. hello! more", KYRA, restorable=always)
    assert again is kyra


async def test_another_conversation_of_the_same_agent_leaves_the_first_alone() -> None:
    board = SlotBoard(2)
    first = await held(board, KYRA + "a long first conversation" * 5, KYRA)
    other = await board.take(KYRA + "something else", KYRA, restorable=always)
    assert other is not first


async def test_without_a_kept_prefix_the_slot_that_has_it_is_taken() -> None:
    board = SlotBoard(2)
    first = await held(board, KYRA + "a long first conversation" * 5, KYRA)
    assert await board.take(KYRA + "something else", KYRA, restorable=never) is first


async def test_requests_wait_in_order() -> None:
    board = SlotBoard(1)
    busy = await board.take("a", "", restorable=never)
    order: list[str] = []

    async def ask(name: str) -> None:
        slot = await board.take(name, "", restorable=never)
        order.append(name)
        board.give_back(slot)

    waiting = [asyncio.create_task(ask(name)) for name in ("one", "two", "three")]
    await asyncio.sleep(0)
    assert board.full
    board.give_back(busy)
    await asyncio.gather(*waiting)
    assert order == ["one", "two", "three"]
    assert not board.full


async def test_a_cancelled_wait_lets_the_next_one_in() -> None:
    board = SlotBoard(1)
    busy = await board.take("a", "", restorable=never)
    gone = asyncio.create_task(board.take("b", "", restorable=never))
    next_one = asyncio.create_task(board.take("c", "", restorable=never))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    board.give_back(busy)
    assert await asyncio.wait_for(next_one, 1)


async def test_background_work_waits_for_quiet_and_is_told_to_stop() -> None:
    board = SlotBoard(2)
    person = await board.take("a", "", restorable=never)
    idle = asyncio.create_task(board.take_idle(KYRA))
    await asyncio.sleep(0)
    assert not idle.done()
    board.give_back(person)
    background = await idle
    assert not background.stop.is_set()
    other = await board.take("b", LUKE, restorable=never)
    assert background.stop.is_set()
    assert other is not background


async def test_background_work_on_the_wanted_prefix_is_awaited() -> None:
    board = SlotBoard(2)
    background = await board.take_idle(KYRA)
    wanted = asyncio.create_task(board.take(KYRA + "hi", KYRA, restorable=never))
    await asyncio.sleep(0)
    assert not background.stop.is_set()
    assert not wanted.done()
    background.text = KYRA
    board.give_back(background)
    assert await wanted is background


async def test_interrupted_background_work_comes_back_to_its_own_slot() -> None:
    board = SlotBoard(2)
    person = await held(board, LUKE + "hi", LUKE)
    first = await board.take_idle(KYRA)
    board.give_back(first)
    assert await board.take_idle(KYRA) is first
    assert first is not person


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("", "", ""),
        ("abc", "abd", "ab"),
        ("abc", "abc", "abc"),
        ("a", "b", ""),
        ("ab", "abc", "ab"),
    ],
)
def test_common_prefix(one: str, other: str, both: str) -> None:
    assert common_prefix(one, other) == both


async def test_work_aside_always_overwrites_its_own_slot() -> None:
    board = SlotBoard(2)
    conversation = await held(board, KYRA + "hi. hello!", KYRA)
    aside = await board.take_aside("system reader|")
    assert aside is not conversation
    aside.text = "system reader|messages"
    board.give_back(aside)
    assert await board.take_aside("system reader|") is aside
    board.give_back(aside)
    other = await board.take(LUKE + "review", LUKE, restorable=always)
    assert other is aside, "a new conversation takes the place of the reading, not of another"


async def test_work_aside_waits_until_nobody_is_served() -> None:
    board = SlotBoard(2)
    busy = await board.take(KYRA + "hi", KYRA, restorable=always)
    aside = asyncio.create_task(board.take_aside("system reader|"))
    await asyncio.sleep(0)
    assert not aside.done()
    board.give_back(busy)
    assert await aside is not busy
