"""Many messages at once: each answered once, in the order of its chat; compared with the ledger."""

import asyncio

import pytest
from bot_api import BotApi, Trouble
from chatting import chatting, configured

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ModelRequest


def echo(request: ModelRequest) -> str:
    """The last thing somebody typed, said back."""
    said = next(one.content for one in reversed(request.messages) if one.role == "user")
    return "You said " + str(said).strip().splitlines()[-1]


async def flood(home: Home, api: BotApi, *, chats: int, messages: int, trouble: bool) -> None:
    people = [500 + number for number in range(chats)]
    configured(home, api, allow=tuple(people))
    async with chatting(home, api, ScriptedModel(otherwise=echo)) as talk:
        if trouble:
            bad = (Trouble(429, retry_after=0), Trouble(502), Trouble("cut"), Trouble("lost"))
            api.fails("sendMessage", *(bad * messages))
            api.fails("getUpdates", *(Trouble(502), Trouble("cut")) * 3)
        for number in range(messages):
            for person in people:
                api.writes(person, f"word{number} of {person}")
            await asyncio.sleep(0)
            if trouble:  # as fast as they are heard
                await api.until(lambda: api.pending < 10)
        for person in people:
            await talk.said(person, messages)
        await talk.settled()
        for person in people:
            assert api.texts(person) == [
                f"You said word{number} of {person}" for number in range(messages)
            ]
        sessions = await talk.runtime.conversations.list()
        assert len(sessions) == chats
        for session in sessions:
            kept = await talk.runtime.conversations.messages(session.id)
            replies = [one.content for one in kept if one.role == "assistant"]
            asked = [one.content for one in kept if one.role == "user"]
            assert len(asked) == len(replies) == len(set(asked)) == messages
            person = int(asked[0].split()[-1])
            assert api.texts(person) == replies


async def test_a_small_flood(home: Home, api: BotApi) -> None:
    await flood(home, api, chats=2, messages=4, trouble=False)


async def test_a_small_flood_over_a_bad_line(home: Home, api: BotApi) -> None:
    await flood(home, api, chats=2, messages=3, trouble=True)


@pytest.mark.deep
async def test_fifty_messages_in_five_chats(home: Home, api: BotApi) -> None:
    await flood(home, api, chats=5, messages=50, trouble=False)


@pytest.mark.deep
async def test_fifty_messages_in_five_chats_over_a_bad_line(home: Home, api: BotApi) -> None:
    await flood(home, api, chats=5, messages=50, trouble=True)
