"""What one does to team work from its screen: stop it, write to whoever is at work, begin it anew.

Which piece of work is meant is the screen's business, and so is what the home refuses.
"""

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from skill_agent.workstation.branches import Branch

from ..frame.agents import AgentList
from ..frame.dialogs import ConfirmDialog, LineDialog
from ..frame.page import Page

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


class WorkActions:
    """The team of one open home, steered from one screen."""

    def __init__(self, runtime: "Workstation", screen: Page, agents: AgentList) -> None:
        self._runtime, self._screen, self._agents = runtime, screen, agents

    async def cancel(self, branch: Branch) -> None:
        if branch.ended:
            self._screen.say("It has ended already.")
            return
        await self._stop(branch)
        self._screen.say("Stopped: what there is of it is kept")

    async def cancel_all(self, roots: Sequence[Branch]) -> None:
        open_ = [one for one in roots if not one.ended]
        if not open_:
            self._screen.say("Nothing runs.")
            return
        what = "the one that runs" if len(open_) == 1 else f"all {len(open_)} that run"
        dialog = ConfirmDialog(
            f"Stop {what}?", "What there is of them is kept, and r begins them anew.",
            does="stops", leaves="leaves them",
        )  # fmt: skip
        if not await self._screen.app.push_screen_wait(dialog):
            return
        stopped = [await self._screen.attempt(self._stop(one)) for one in open_]
        if all(one is not None for one in stopped):
            self._screen.say(f"Stopped: {len(stopped)}")

    async def write(self, branch: Branch) -> None:
        if branch.kind != "task":
            self._screen.say("Choose one of its tasks: each has an agent of its own.")
            return
        if branch.ended:
            self._screen.say("It has ended; r begins it anew.")
            return
        name = self._agents[branch.agent].name

        async def tell(words: str) -> object:
            return await self._runtime.tasks.tell(branch.id, words)

        dialog = LineDialog(
            f"Say to {name}", about=branch.title, hint="It is read before the next step", write=tell
        )
        if await self._screen.app.push_screen_wait(dialog):
            self._screen.say(f"{name} reads it before the next step")

    async def retry(self, branch: Branch) -> None:
        if not branch.ended:
            self._screen.say("It is not over yet.")
            return
        if branch.kind == "task":
            await self._runtime.tasks.retry(branch.id)
        else:
            await self._runtime.collaborations.resume(branch.id)
        self._screen.say("Begun anew")

    def _stop(self, branch: Branch) -> Awaitable[Any]:
        if branch.kind == "task":
            return self._runtime.tasks.cancel(branch.id, reason="stopped by the person")
        return self._runtime.collaborations.cancel(branch.id, reason="stopped by the person")
