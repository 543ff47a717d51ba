"""A home with its bot, and a Bot API server that it talks to; what the tests of the bot share."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot_api import TOKEN, BotApi
from fakes import HashEmbedder
from skill_agent.bots.telegram.bot import TelegramBot
from skill_agent.bots.telegram.pace import Pace
from skill_agent.cli.opening.home_files import init_home

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

ME, OTHER, STRANGER, GROUP = 501, 502, 666, -9001
QUICK = Pace(
    poll_s=30.0,
    stall_s=60.0,
    call_s=5.0,
    between_s=0.01,
    between_in_groups_s=0.01,
    at_once=10_000,
    typing_s=0.5,
    back_off_s=0.02,
    most_back_off_s=0.1,
    retry_s=0.02,
    most_retry_s=0.1,
    again_s=0.02,
)
"""As fast as a test can be."""


@dataclass
class Chatting:
    """An open home, its bot and what Telegram is to it."""

    api: BotApi
    runtime: Runtime
    bot: TelegramBot

    async def said(self, chat: int, count: int = 1) -> list[str]:
        """The bot's messages there, once there are so many and nothing is owed."""
        await self.api.until(lambda: len(self.api.in_chat(chat)) >= count)
        await self.settled()
        return self.api.texts(chat)

    async def settled(self) -> None:
        """Returns once everything that came was taken in, answered and confirmed."""
        await self.api.until(lambda: not self.api.pending)
        while await self.runtime.bridges.host_side().chats.owed():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def configured(home: Home, api: BotApi, *, allow: tuple[int, ...] = (ME,), more: str = "") -> None:
    """The home with its settings for the server."""
    init_home(home)
    settings = home.config.read_text()
    telegram = f'[telegram]\napi_url = "{api.url}"\nallow = {[*allow]}\n{more}\n'
    settings = re.sub(r"\[telegram\]\n([^\n\[]+\n)*", telegram, settings)
    features = "[features]\nexpert_gate = false\nmodel_routing = false\n"
    home.config.write_text(re.sub(r"\[features\]\n([^\n\[]+\n)*", features, settings))


@asynccontextmanager
async def chatting(
    home: Home,
    api: BotApi,
    model: ScriptedModel,
    *,
    pace: Pace = QUICK,
    token: str = TOKEN,
    questions: Any = None,
) -> AsyncIterator[Chatting]:
    """The configured home open in this process, with its bot."""
    from in_process import open_in_process

    opener = open_in_process(home.root, gateway=ScriptedGateway(model), embedder=HashEmbedder())
    async with opener as runtime:
        bot = TelegramBot(
            runtime,
            token,
            runtime.bridges.host_side(),
            updates=home.updates,
            questions=questions,
            pace=pace,
        )
        bot.begin()
        try:
            yield Chatting(api, runtime, bot)
        finally:
            await bot.end()
