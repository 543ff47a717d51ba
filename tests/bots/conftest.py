"""The tests' home with its bot, and the server that plays Telegram."""

from collections.abc import AsyncIterator

import pytest
from bot_api import BotApi, bot_api


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with bot_api() as served:
        yield served
