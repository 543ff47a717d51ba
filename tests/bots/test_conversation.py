"""Whole conversations with the bot, over a real Bot API server on loopback."""

from bot_api import bot_api
from chatting import ME, chatting, configured

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel


async def test_a_conversation(home: Home) -> None:
    async with bot_api() as api:
        configured(home, api)
        model = ScriptedModel(["The gym opens **at six**.", "At ten."])
        async with chatting(home, api, model) as talk:
            api.writes(ME, "When does the gym open?")
            assert await talk.said(ME) == ["The gym opens at six."]
            api.writes(ME, "And when does it close?")
            assert (await talk.said(ME, 2))[1] == "At ten."
            sessions = await talk.runtime.conversations.list()
            assert [one.messages for one in sessions] == [4]
            asked = await talk.runtime.conversations.messages(sessions[0].id)
            assert asked[0].content == "When does the gym open?"
            assert asked[0].origins == ()
            assert api.in_chat(ME)[0].entities == [{"type": "bold", "offset": 14, "length": 6}]
