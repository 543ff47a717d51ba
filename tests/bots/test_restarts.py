"""A host that ends in mid-reply, by itself or killed: nothing lost, nothing twice."""

import asyncio

from bot_api import BotApi, Trouble
from chatting import ME, chatting, configured

from skill_agent.files.home import Home
from skill_agent.models.scripted import Gate, ScriptedModel


async def test_a_host_that_ends_in_mid_reply(home: Home, api: BotApi) -> None:
    configured(home, api)
    never = asyncio.Event()
    async with chatting(home, api, ScriptedModel([("Half a ", Gate(never), "reply")])) as talk:
        api.writes(ME, "Tell me all")
        await api.until(lambda: api.in_chat(ME))
        await api.until(lambda: not api.pending)
    async with chatting(home, api, ScriptedModel(otherwise="Anew.")) as talk:
        await talk.settled()
        [shown] = api.in_chat(ME)
        assert shown.text.startswith("Half a")
        assert "⚠️" in shown.text
        api.writes(ME, "Again, please")
        assert (await talk.said(ME, 2))[1] == "Anew."
        session = await talk.runtime.conversations.find("latest")
        users = [
            one.content
            for one in await talk.runtime.conversations.messages(session.id)
            if one.role == "user"
        ]
        assert users == ["Tell me all", "Again, please"]


async def test_a_reply_that_was_made_and_not_brought(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, ScriptedModel(["The whole reply."])) as talk:
        api.fails("sendMessage", *(Trouble(502) for _ in range(10_000)))
        api.writes(ME, "Hello")
        await api.until(lambda: api.count("sendMessage") > 2 and not api.pending)
        while (await talk.runtime.turns.list())[0].state == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert api.texts(ME) == []
    api.troubles.clear()
    async with chatting(home, api, ScriptedModel()) as talk:
        await talk.settled()
        assert api.texts(ME) == ["The whole reply."]


async def test_the_same_update_after_a_restart_is_the_same_turn(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, ScriptedModel(["Once."])) as talk:
        update = api.writes(ME, "Hello")
        await talk.said(ME)
    home.updates.unlink()
    api.repeats(update)
    async with chatting(home, api, ScriptedModel(otherwise="Twice.")) as talk:
        await talk.settled()
        assert api.texts(ME) == ["Once."]
        assert (await talk.runtime.conversations.find("latest")).messages == 2


async def test_the_chat_goes_on_where_it_was(home: Home, api: BotApi) -> None:
    configured(home, api)
    for number, text in enumerate(("One", "Two", "Three"), start=1):
        async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
            api.writes(ME, text)
            await talk.said(ME, number)
            [session] = await talk.runtime.conversations.list()
            assert session.messages == 2 * number


async def test_a_conversation_that_was_deleted_is_gone_for_the_chat_too(
    home: Home, api: BotApi
) -> None:
    configured(home, api)
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        api.writes(ME, "One")
        await talk.said(ME)
        first = await talk.runtime.conversations.find("latest")
        await talk.runtime.conversations.delete(first.id)
        api.writes(ME, "Two")
        await talk.said(ME, 2)
        assert (await talk.runtime.conversations.find("latest")).id != first.id
