"""`ska team watch`: what the team does, while it does it."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from skill_agent.errors import UsageError
from skill_agent.events import Event, HostFound, HostLost, TeamEvent, to_json

from ..opening.running import with_runtime
from ..options import JsonOption
from ..output import emit_json, emit_jsonl, emit_text, narrate
from .following import Belonging, News

if TYPE_CHECKING:
    from rich.live import Live

    from skill_agent.workstation import Workstation
    from skill_agent.workstation.branches import Branch

TICK_S = 1.0
"""A drawn tree is drawn anew so often, for the times in it."""


def register(app: typer.Typer) -> None:
    app.command()(watch)


def watch(
    ctx: typer.Context,
    ref: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Id, or its beginning; else all that runs.")
    ] = None,
    as_json: JsonOption = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every event as one JSON line, as it happens.")
    ] = False,
) -> None:
    """Watch work until it has ended: a live tree in a terminal, lines elsewhere.

    Nothing is steered or stopped by it: Ctrl+C leaves the work running in the host. What waits for
    your approval is answered by `ska approvals`, or in a window.

    \b
    Examples:
      ska team watch
      ska team watch 0198f2
      ska team watch 0198f2 --jsonl | jq -r 'select(.type == "task_changed") | .status'

    \b
    Exit codes: 0 it ended well, or nothing runs; 1 it failed, timed out or was cancelled; 2 there
    is none of that name; 130 interrupted (it goes on).
    """
    if as_json and jsonl:
        raise UsageError("--json prints the end, --jsonl every event: one of them")
    show = _json_line if jsonl else _nothing if as_json else None
    ended = with_runtime(ctx, partial(_watch, ref=ref, show=show))
    if as_json:
        emit_json(ended[0] if ref and ended else ended)
    if ref and any(one.status != "completed" for one in ended):
        raise typer.Exit(1)


class View(Protocol):
    """Where what is watched is shown."""

    def heard(self, event: Event) -> None: ...
    def tree(self, branches: "Sequence[Branch]") -> None: ...
    def close(self) -> None: ...


async def _watch(
    runtime: "Workstation", *, ref: str | None, show: Callable[[Event], None] | None
) -> "list[Branch]":
    with runtime.turns.subscribe() as events:
        branches = await _look(runtime, ref)
        if ref is None and not branches:
            narrate("nothing runs")
            return []
        view: View = _Given(show) if show else _Drawn() if sys.stdout.isatty() else _Told()
        ticking = asyncio.create_task(_tick(runtime, ref, view), name="ticks of a watched tree")
        belonging = Belonging(branches[0].id) if ref else None
        try:
            view.tree(branches)
            if all(one.ended for one in branches):
                return branches
            async for event in events:
                if not _concerns(event, belonging):
                    continue
                view.heard(event)
                now = await _look(runtime, ref)
                view.tree(now)
                if all(one.ended for one in now):
                    return now or branches
        except asyncio.CancelledError:
            narrate(_left(runtime, ref))
            raise
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            view.close()
    return branches


def _left(runtime: "Workstation", ref: str | None) -> str:
    from .leaving import goes_on

    if not goes_on(runtime):
        return "no longer watched; nobody hosts the home, so it is taken up again by `ska up`"
    return f"no longer watched; it goes on: ska team watch{f' {ref}' if ref else ''}"


def _concerns(event: Event, belonging: Belonging | None) -> bool:
    if isinstance(event, HostLost | HostFound):
        return True
    return isinstance(event, TeamEvent) and (belonging is None or belonging.has(event))


async def _look(runtime: "Workstation", ref: str | None) -> "list[Branch]":
    from skill_agent.workstation.branches import tree_of, work_of

    if ref is not None:
        return [await tree_of(runtime, ref)]
    return [one for one in await work_of(runtime) if not one.ended]


async def _tick(runtime: "Workstation", ref: str | None, view: View) -> None:
    """Draws the times anew; only where they are drawn."""
    while isinstance(view, _Drawn):
        await asyncio.sleep(TICK_S)
        view.tree(await _look(runtime, ref))


class _Given:
    """Every event to one who wants no words."""

    def __init__(self, show: Callable[[Event], None]) -> None:
        self._show = show

    def heard(self, event: Event) -> None:
        self._show(event)

    def tree(self, branches: "Sequence[Branch]") -> None:
        return

    def close(self) -> None:
        return


class _Told:
    """The tree as it was found, then a line for what changes, then the tree as it is at the end."""

    def __init__(self) -> None:
        self._first = True
        self._news = News()

    def heard(self, event: Event) -> None:
        if self._news(event):
            emit_text(event.line)
            sys.stdout.flush()

    def tree(self, branches: "Sequence[Branch]") -> None:
        if self._first or (branches and all(one.ended for one in branches)):
            emit_text(_text(branches))
            sys.stdout.flush()
        self._first = False

    def close(self) -> None:
        return


class _Drawn:
    """One tree that is drawn over itself."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def heard(self, event: Event) -> None:
        return

    def tree(self, branches: "Sequence[Branch]") -> None:
        from rich.live import Live
        from rich.text import Text

        drawn = Text(_text(branches), no_wrap=True, overflow="ellipsis")
        if self._live is None:
            self._live = Live(drawn, auto_refresh=False)
            self._live.start()
        self._live.update(drawn, refresh=True)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()


def _text(branches: "Sequence[Branch]") -> str:
    from .tree import lines

    return "\n".join(lines(branches, datetime.now(UTC)))


def _json_line(event: Event) -> None:
    emit_jsonl(to_json(event))


def _nothing(_event: Event) -> None:
    return
