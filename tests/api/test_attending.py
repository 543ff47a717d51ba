"""Which connections of a served home count as listeners of a turn."""

import asyncio
from contextlib import AsyncExitStack

from api_home import Api, OpenApi, until
from fakes import OpenRuntime
from served import listening

from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.turns.attended import _Watched
from skill_agent.values import TurnRequest


def waiting() -> list[str | Gate]:
    return ["half ", Gate(asyncio.Event())]


def watched(api: Api, turn: str) -> _Watched:
    return api.runtime._turns._attended._watched[turn]


async def begun(api: Api, **wishes: object) -> str:
    answer = await api.http.post("/v1/turns", json={"text": "go", **wishes})
    assert answer.status_code == 202, answer.text
    return answer.json()["turn"]


async def test_a_stream_of_a_turn_and_of_its_conversation_count(open_api: OpenApi) -> None:
    async with open_api(waiting()) as api:
        turn = await begun(api)
        session = (await api.runtime.turns.get(turn)).session
        assert watched(api, turn).ending is None
        async with listening(api.http, turn=turn), listening(api.http, session=session):
            pass
        await until(lambda: watched(api, turn).ending)
        async with listening(api.http, session=session):
            assert watched(api, turn).ending is None, "somebody came back"
        await until(lambda: watched(api, turn).ending)


async def test_the_stream_of_everything_is_nobodys_in_particular(open_api: OpenApi) -> None:
    async with open_api(waiting(), "other") as api:
        turn = await begun(api)
        async with listening(api.http):
            await begun(api)
        other = await begun(api)
        async with listening(api.http, turn=other):
            pass
        assert not watched(api, turn).heard


async def test_what_is_asked_to_stay_stays(open_api: OpenApi) -> None:
    async with open_api(waiting(), waiting()) as api:
        turn, other = await begun(api, detach=True), await begun(api)
        async with listening(api.http, turn=turn), listening(api.http, turn=other):
            pass
        await until(lambda: watched(api, other).ending)
        assert watched(api, turn).ending is None


async def test_a_chat_with_a_key_is_waited_for(open_api: OpenApi) -> None:
    async with open_api(waiting()) as api:
        key = new_id()
        asked = api.http.stream(
            "POST", "/v1/agents/kyra/chat/stream", json={"content": "go"},
            headers={"Idempotency-Key": key},
        )  # fmt: skip
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(asked)
            async for piece in response.aiter_text():
                if "half" in piece:
                    break
        await until(lambda: watched(api, key).ending)
        assert (await api.runtime.turns.get(key)).state == "running"


async def test_a_turn_given_up_keeps_its_words(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel([waiting()])) as runtime:
        turns = runtime._turns
        turns._attended._grace_s = 0.01
        begun = await turns.submit(TurnRequest("go"))
        heard = turns.subscribe(turn=begun.turn)
        while getattr(await heard.next(), "text", "") != "half ":
            pass
        with turns.attending(turn=begun.turn):
            pass
        await until(lambda: not turns._board.running)
        found = await turns.get(begun.turn)
        assert (found.reason, found.text, found.words) == ("abandoned", "half ", "go")
