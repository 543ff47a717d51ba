"""A turn goes on while somebody listens, a little longer than that, and for ever where it may."""

import asyncio
from collections.abc import Callable

import pytest
from fakes import OpenRuntime

from skill_agent.models.scripted import Pause, ScriptedModel
from skill_agent.turns.attended import Attended
from skill_agent.values import TurnRequest

LONG, SHORT = 600.0, 0.01


class Work:
    """Turns that run, and whoever asks for them just now."""

    def __init__(self, grace_s: float) -> None:
        self.running: set[str] = set()
        self.given_up: list[str] = []
        self.window: str | None = None
        self.attended = Attended(
            runs=self.running.__contains__,
            give_up=self._give_up,
            client=lambda: self.window,
            grace_s=grace_s,
        )

    async def _give_up(self, turn: str) -> None:
        self.running.discard(turn)
        self.given_up.append(turn)

    def begin(self, turn: str, *, session: str = "s", stays: bool = False) -> None:
        self.running.add(turn)
        self.attended.began(turn, session, stays=stays)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def settled(work: Work, beside: str) -> None:
    """Returns once a turn that nobody listens to was given up, and so would have been any other."""
    work.begin(beside, session=beside)
    with work.attended.listening(turn=beside):
        pass
    await until(lambda: beside in work.given_up)
    work.given_up.remove(beside)


async def test_who_leaves_last_ends_it() -> None:
    work = Work(SHORT)
    work.begin("t")
    with work.attended.listening(turn="t"), work.attended.listening(session="s"):
        pass
    await until(lambda: work.given_up == ["t"])


async def test_one_listener_is_enough() -> None:
    work = Work(SHORT)
    work.begin("t")
    with work.attended.listening(session="s"):
        with work.attended.listening(turn="t"):
            pass
        await settled(work, "other")
        assert work.given_up == []


async def test_what_nobody_ever_listened_to_goes_on() -> None:
    work = Work(SHORT)
    work.begin("t")
    with work.attended.listening(), work.attended.listening(session="another"):
        await settled(work, "other")
    await settled(work, "next")
    assert work.given_up == []


async def test_what_was_asked_to_stay_stays() -> None:
    work = Work(SHORT)
    with work.attended.listening(turn="t"):
        work.begin("t", stays=True)
    with work.attended.listening(turn="t"):
        pass
    await settled(work, "other")
    assert work.given_up == []


async def test_who_comes_back_in_time_keeps_it() -> None:
    work = Work(SHORT)
    work.begin("t")
    with work.attended.listening(turn="t"):
        pass
    with work.attended.listening(turn="t"):
        await settled(work, "other")
        assert work.given_up == []
    await until(lambda: work.given_up == ["t"])


async def test_who_left_before_it_began_has_left() -> None:
    work = Work(SHORT)
    with work.attended.listening(turn="t"):
        pass
    work.begin("t")
    await until(lambda: work.given_up == ["t"])


async def test_a_window_that_is_closed_takes_its_own_turns_along() -> None:
    work = Work(SHORT)
    work.window = "tui/1"
    with work.attended.listening():
        work.begin("mine")
        work.window = "tui/2"
        with work.attended.listening():
            work.begin("yours")
        await until(lambda: work.given_up == ["yours"])
        assert "mine" in work.running


async def test_a_window_opened_again_takes_over() -> None:
    work = Work(LONG)
    work.window = "tui/1"
    with work.attended.listening():
        work.begin("t")
    work.window = "tui/2"
    with work.attended.listening():
        (one,) = work.attended._watched.values()
        assert one.ending is None
    assert one.ending is not None
    work.attended.close()
    assert one.ending is None


async def test_turns_that_ended_are_forgotten() -> None:
    work = Work(LONG)
    with work.attended.listening(session="s"):
        for number in range(100):
            work.begin(str(number))
            work.running.discard(str(number))
    work.begin("last")
    assert list(work.attended._watched) == ["last"]


@pytest.mark.deep
async def test_a_turn_that_does_not_end_holds_up_no_close(open_runtime: OpenRuntime) -> None:
    stuck, free = asyncio.Event(), asyncio.Event()

    async def stubborn(_: float) -> None:
        stuck.set()
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    model = ScriptedModel([["half ", Pause(1)]], sleep=stubborn)
    async with open_runtime(model) as runtime:
        await runtime.turns.submit(TurnRequest("go"))
        await stuck.wait()
    free.set()
