"""What one does to team work from its screen: stop it, write to whoever is at work, begin it anew.

What went wrong is told in place; which piece of work is meant is the screen's business.
"""

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from skill_agent.errors import SkillAgentError
from skill_agent.workstation.branches import Branch

from ..frame.agents import AgentList
from ..frame.page import Page
from .dialogs import StopAllDialog, TellDialog

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


class WorkActions:
    """The team of one open home, steered from one screen."""

    def __init__(self, runtime: "Workstation", screen: Page, agents: AgentList) -> None:
        self._runtime, self._screen, self._agents = runtime, screen, agents

    async def cancel(self, branch: Branch) -> None:
        if branch.ended:
            self._say("It has ended already.")
            return
        if await self._done(self._stop(branch)):
            self._say("Stopped: what there is of it is kept")

    async def cancel_all(self, roots: Sequence[Branch]) -> None:
        open_ = [one for one in roots if not one.ended]
        if not open_:
            self._say("Nothing runs.")
            return
        if not await self._screen.app.push_screen_wait(StopAllDialog(len(open_))):
            return
        stopped = [await self._done(self._stop(one)) for one in open_]
        if all(stopped):
            self._say(f"Stopped: {len(stopped)}")

    async def write(self, branch: Branch) -> None:
        if branch.kind != "task":
            self._say("Choose one of its tasks: each has an agent of its own.")
            return
        if branch.ended:
            self._say("It has ended; r begins it anew.")
            return
        name = self._agents[branch.agent].name
        text = await self._screen.app.push_screen_wait(TellDialog(name, branch.title))
        if text and await self._done(self._runtime.tasks.tell(branch.id, text)):
            self._say(f"{name} reads it before the next step")

    async def retry(self, branch: Branch) -> None:
        if not branch.ended:
            self._say("It is not over yet.")
            return
        if branch.kind == "task":
            begun = self._done(self._runtime.tasks.retry(branch.id))
        else:
            begun = self._done(self._runtime.collaborations.resume(branch.id))
        if await begun:
            self._say("Begun anew")

    def _stop(self, branch: Branch) -> Awaitable[Any]:
        if branch.kind == "task":
            return self._runtime.tasks.cancel(branch.id, reason="stopped by the person")
        return self._runtime.collaborations.cancel(branch.id, reason="stopped by the person")

    async def _done(self, deed: Awaitable[Any]) -> bool:
        try:
            await deed
        except SkillAgentError as error:
            self._screen.notify(
                error.hint or "Nothing was changed.", title=error.message, severity="error",
                markup=False, timeout=8,
            )  # fmt: skip
            return False
        return True

    def _say(self, words: str) -> None:
        self._screen.notify(words, timeout=3, markup=False)
