"""Waiting for a stated condition. Nothing here depends on how quick the machine is."""

import time
from collections.abc import Callable
from typing import Any

from skill_agent.tui.frame.plain import printable
from skill_agent.tui.talk.shown.prose import Prose
from skill_agent.tui.talk.shown.reply import ReplyBlock
from textual.app import App
from textual.pilot import Pilot
from textual.worker import WorkerState

PATIENCE = 60.0
"""Seconds until something counts as never happening; far more than any machine needs."""
HOPS = 8
"""More than a message takes from the innermost widget to the app."""
SAME = 5
"""Looks in a row that must find the same picture."""
WAITING = {"listen", "hear", "send", "dialog", "deed"}
"""Groups of workers that wait for somebody: the home, or the person."""


async def until(pilot: Pilot[Any], happened: Callable[[], Any]) -> None:
    """Lets the app work until it has happened; fails when it never does."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        await pilot.pause(0.005)


async def all_handled(pilot: Pilot[Any]) -> None:
    """Until every message posted so far has gone all its way, and what it posted as well."""
    for _ in range(HOPS):
        await pilot.pause(0)


async def settled(pilot: Pilot[Any]) -> None:
    """Until nothing is under way and the picture has stayed the same for a while."""
    seen, same = None, 0

    def still() -> bool:
        nonlocal seen, same
        now = picture(pilot.app)
        same = same + 1 if now == seen and not at_work(pilot.app) else 0
        seen = now
        return same >= SAME

    await until(pilot, still)


def picture(app: App[Any]) -> list[str]:
    """The screen's lines, and where the focus is."""
    strips = app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    return [*lines, repr(app.screen.focused)]


def at_work(app: App[Any]) -> bool:
    """Whether somebody works in the background, or has text that is not drawn yet."""
    busy = any(
        worker.state in (WorkerState.PENDING, WorkerState.RUNNING)
        for worker in app.workers
        if worker.group not in WAITING
    )
    return busy or not all(_drawn(one) for one in app.screen_stack[0].query(ReplyBlock))


def _drawn(reply: ReplyBlock) -> bool:
    """Whether the prose has all that was said. Markdown is read in a thread, and drawn after it."""
    prose = reply.query(Prose)
    drawn = "".join(one.source for one in prose)
    return "".join(drawn.split()) == "".join(printable(reply.source).split()) and all(
        one.children for one in prose if one.source.strip()
    )
