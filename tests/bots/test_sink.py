"""What the home tells unasked, in chats; a reply to it goes on in its conversation."""

from datetime import UTC, datetime

import pytest
from bot_api import BotApi, Trouble
from chatting import GROUP, ME, OTHER, chatting, configured

from skill_agent.errors import NotDelivered, UsageError
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import InboxItem


def item(session: str | None = None, *, private: bool = False) -> InboxItem:
    return InboxItem(
        id="0193f2a0-5a1c-7c3e-9d7f-2b8f4f6f1a11",
        title="Your day",
        text="- **Luke** was asked\n- nothing is open",
        session=session,
        private=private,
        created_at=datetime.now(UTC),
    )


async def test_a_summary_and_a_reply_to_it(home: Home, api: BotApi) -> None:
    configured(home, api, allow=(ME, OTHER))
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        api.writes(ME, "First")
        await talk.said(ME)
        session = (await talk.runtime.conversations.find("latest")).id
        api.writes(ME, "/new")
        api.writes(ME, "Second")
        await talk.said(ME, 3)
        receipt = await talk.bot.sink.send(item(session), "")
        shown = api.in_chat(ME)[-1]
        assert shown.text == "Your day\n\n• Luke was asked\n• nothing is open"
        assert receipt == f"{ME}/{shown.id},{OTHER}/{api.in_chat(OTHER)[-1].id}"
        assert await talk.bot.sink.send(item(session), "") == receipt
        assert len(api.in_chat(OTHER)) == 1
        reply = {"message_id": shown.id, "date": 1, "chat": {"id": ME, "type": "private"}}
        reply["from"] = {"id": 4711, "is_bot": True, "first_name": "Ska"}
        api.writes(ME, "What was Luke asked?", reply_to_message=reply)
        await talk.said(ME, 5)
        assert (await talk.runtime.conversations.find(session)).messages == 4


async def test_where_nothing_can_be_sent(home: Home, api: BotApi) -> None:
    configured(home, api, allow=(GROUP,))
    async with chatting(home, api, ScriptedModel()) as talk:
        sink = talk.bot.sink
        sink.check("")
        for address in ("abc", "666"):
            with pytest.raises(UsageError):
                sink.check(address)
        await api.until(lambda: api.polls)
        with pytest.raises(NotDelivered) as nobody:
            await sink.send(item(), "")
        assert not nobody.value.again
        with pytest.raises(NotDelivered):
            await sink.send(item(private=True), str(GROUP))
        api.fails("sendMessage", *(Trouble(429, retry_after=0) for _ in range(3)))
        with pytest.raises(NotDelivered) as busy:
            await sink.send(item(), str(GROUP))
        assert busy.value.again
