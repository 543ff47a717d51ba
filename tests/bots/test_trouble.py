"""What the line does when Telegram is busy, broken, silent or somebody else's."""

import asyncio
import logging
from dataclasses import replace

import pytest
from bot_api import TOKEN, BotApi, Trouble
from chatting import ME, OTHER, QUICK, chatting, configured
from test_rendering import LONG, words

from skill_agent.events import BridgeChanged
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel


def edited(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
@pytest.mark.parametrize("kind", [429, 502, "cut", "lost", "hang"])
async def test_a_reply_arrives_once_whatever_happens(
    home: Home, api: BotApi, method: str, kind: int | str
) -> None:
    configured(home, api)
    model = ScriptedModel(otherwise=LONG)
    async with chatting(home, api, model, pace=replace(QUICK, call_s=0.5)) as talk:
        api.fails(method, *(Trouble(kind, retry_after=0) for _ in range(3)))
        api.writes(ME, "Tell me all")
        told = "\n".join(await talk.said(ME, 3))
        assert words(told) == [one for one in words(LONG) if one != "python"]
        ids = [one.id for one in api.in_chat(ME)]
        assert ids == sorted(set(ids))


async def test_entities_that_are_refused_go_without(home: Home, api: BotApi) -> None:
    configured(home, api)
    api.refuses_entities = True
    async with chatting(home, api, ScriptedModel(["**bold** words"])) as talk:
        api.writes(ME, "Hello")
        assert await talk.said(ME) == ["bold words"]
        assert api.in_chat(ME)[0].entities == []


async def test_a_wait_that_is_asked_for_is_kept(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, ScriptedModel(["Now."])) as talk:
        api.fails("sendMessage", Trouble(429, retry_after=1))
        api.writes(ME, "Hello")
        assert await talk.said(ME) == ["Now."]
        first, second, *_ = [one.at for one in api.calls if one.method == "sendMessage"]
        assert second - first > 0.9


async def test_another_copy_is_told_and_outlived(home: Home, api: BotApi) -> None:
    configured(home, api)
    api.fails("getUpdates", *(Trouble(409) for _ in range(3)))
    async with chatting(home, api, ScriptedModel(["Back."])) as talk:
        with talk.runtime.turns.subscribe() as events:
            api.writes(ME, "Anybody there?")
            assert await talk.said(ME) == ["Back."]
            states = [one.state async for one in _changes(events, until="working")]
        assert states == ["unhealthy", "working"] or states == ["starting", "unhealthy", "working"]
        [status] = await talk.runtime.bridges.status()
        assert (status.state, status.name) == ("working", "@ska_test_bot")
        assert status.last_heard is not None


async def _changes(events, until: str):  # type: ignore[no-untyped-def]
    async for event in events:
        if isinstance(event, BridgeChanged):
            yield event
            if event.state == until:
                return


async def test_polls_that_hang_are_noticed_and_given_up(home: Home, api: BotApi) -> None:
    configured(home, api)
    pace = replace(QUICK, poll_s=0.1, stall_s=0.3, call_s=0.2)
    async with chatting(home, api, ScriptedModel(["Here."]), pace=pace) as talk:
        await api.until(lambda: api.polls > 1)
        with talk.runtime.turns.subscribe() as events:
            api.fails("getUpdates", *(Trouble("hang") for _ in range(6)))
            states = [one.state async for one in _changes(events, until="working")]
        assert states == ["unhealthy", "working"]
        api.writes(ME, "And now?")
        assert await talk.said(ME) == ["Here."]


async def test_a_server_in_trouble_is_waited_for(home: Home, api: BotApi) -> None:
    configured(home, api)
    api.fails("getMe", Trouble(502), Trouble("cut"))
    api.fails("getUpdates", Trouble(502), Trouble("cut"), Trouble(429, retry_after=0))
    async with chatting(home, api, ScriptedModel(["At last."])) as talk:
        api.writes(ME, "Hello")
        assert await talk.said(ME) == ["At last."]


async def test_a_wrong_token_is_told_once_and_not_tried_for_ever(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, ScriptedModel(), token="1:" + "x" * 35) as talk:
        with talk.runtime.turns.subscribe() as events:
            [stopped] = [one async for one in _changes(events, until="stopped")][-1:]
        assert "no bot with this token" in stopped.problem
        calls = len(api.calls)
        await asyncio.sleep(0.3)
        assert len(api.calls) == calls
        [status] = await talk.runtime.bridges.status()
        assert status.state == "stopped"
        assert "ska telegram token" in status.hint


async def test_what_waited_while_nobody_hosted_is_answered(home: Home, api: BotApi) -> None:
    configured(home, api)
    api.writes(ME, "Written at night")
    async with chatting(home, api, ScriptedModel(["Good morning."])) as talk:
        assert await talk.said(ME) == ["Good morning."]


async def test_an_update_that_comes_twice_is_answered_once(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, ScriptedModel(otherwise="Once.")) as talk:
        update = api.writes(ME, "Hello")
        await talk.said(ME)
        api.repeats(update)
        api.writes(ME, "/agents")
        await talk.said(ME, 2)
        assert api.texts(ME)[0] == "Once."
        assert len(api.in_chat(ME)) == 2
        session = await talk.runtime.conversations.find("latest")
        assert session.messages == 2


async def test_a_chat_that_blocked_the_bot_holds_nobody_up(home: Home, api: BotApi) -> None:
    configured(home, api, allow=(ME, OTHER))
    blocked = Trouble(403, only_with=lambda fields: fields.get("chat_id") == str(OTHER))
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        api.fails("sendMessage", blocked, blocked, blocked)
        api.writes(OTHER, "Hello")
        await talk.settled()
        api.writes(ME, "Hello")
        assert await talk.said(ME) == ["Yes."]
        assert api.texts(OTHER) == []


async def test_neither_tokens_nor_ids_are_logged(
    home: Home, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    configured(home, api, allow=(987654321,))
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.getLogger("skill_agent").propagate = True
    for method in ("getMe", "getUpdates", "sendMessage", "editMessageText"):
        api.fails(method, Trouble(502), Trouble("cut"), Trouble(409))
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        code = (await talk.runtime.bridges.pair()).id
        api.writes(ME, code)
        api.writes(987654321, "Hello")
        await talk.said(987654321)
        await talk.said(ME)
        status = str(await talk.runtime.bridges.status())
    secret = TOKEN.partition(":")[2]
    written = [one for one in home.root.rglob("*") if one.is_file() and "duckdb" not in one.name]
    kept = [one for one in caplog.records if not one.name.startswith("aiohttp")]
    logged = "\n".join(one.getMessage() for one in kept)
    for text in (logged, status):
        assert secret not in text
        assert code not in text
    assert "987654321" not in logged
    assert all(
        secret.encode() not in file.read_bytes() for file in written if "duckdb" not in file.name
    )
