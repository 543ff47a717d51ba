"""What goes wrong beside the conversation: told where it can be, quiet on the way out."""

import pytest
from skill_agent.tui.app import WorkstationApp
from stage import StageRuntime

from skill_agent.errors import Closing, UsageError


async def failing(error: Exception) -> None:
    raise error


@pytest.mark.deep
async def test_a_refusal_is_told_and_ends_nothing(sit) -> None:
    async with sit(StageRuntime([["still here"]])) as seat:
        seat.app.screen.run_worker(failing(UsageError("that agent is paused")))
        await seat.until(lambda: "paused" in " ".join(told(seat.app)))
        await seat.say("hello")
        await seat.until(lambda: "still here" in seat.shown())
    assert seat.app.exit_code == 0


async def test_on_the_way_out_nothing_is_told(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.quit()
        assert seat.app._leaving.is_set()
        for error in (Closing("this window on the home is closed"), RuntimeError("a bug")):
            worker = seat.app.screen.run_worker(failing(error))
            await seat.until(lambda worker=worker: worker.is_finished)
    assert (seat.app.exit_code, seat.app.crashed, told(seat.app)) == (0, False, [])
    assert seat.app._exit_renderables == []


def told(app: WorkstationApp) -> list[str]:
    return [one.message for one in app._notifications]
