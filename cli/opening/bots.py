"""Bots beside a host that stays: begun where there is a token, ended before the home is closed."""

import asyncio
import logging
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.host.runtime import Runtime

if TYPE_CHECKING:
    from ...bots.telegram.bot import TelegramBot

_log = logging.getLogger("skill_agent.hosting")


class Bots:
    """What a service runs for people who are elsewhere; nothing heavy is imported without a
    token."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bot: TelegramBot | None = None
        self._beginning: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """In the background: a keyring may take its time."""
        if self._runtime.settings.telegram.enabled:
            self._beginning = asyncio.create_task(self._begin(), name="bots")

    async def _begin(self) -> None:
        from ...bots.telegram.token import found_token

        token = await asyncio.to_thread(found_token)
        if not token:
            return
        from ...bots.telegram.bot import TelegramBot

        runtime = self._runtime
        try:
            self._bot = TelegramBot(
                runtime,
                token,
                runtime.bridges.host_side(),
                updates=runtime.home.updates,
                questions=runtime.questions,
            )
            self._bot.begin()
        except SkillAgentError as problem:
            _log.warning("the Telegram bot does not begin: %s", problem.message)

    async def end(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.gather(self._beginning, return_exceptions=True)
        if self._bot is not None:
            await self._bot.end()
