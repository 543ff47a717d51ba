"""The OpenAI client people have, talking to our agents."""

import asyncio
import json
from base64 import b64encode
from typing import Any
from uuid import uuid4

import openai
import pytest
from api_home import OpenApi, until, until_idle
from openai_client import ask, assistant, called, client, place, result, system, tool, user

from skill_agent.conversations.client_context import client_context
from skill_agent.errors import ModelUnavailable
from skill_agent.models.scripted import Gate, StatusPart
from skill_agent.ports import EndPart
from skill_agent.values import Image, MemoryFilter, ModelProfile, Usage

COMPLETIONS = "/v1/chat/completions"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


async def test_the_agents_are_models(open_api: OpenApi) -> None:
    async with open_api() as api, client(api) as ai:
        found = [model async for model in ai.models.list()]
        agents = await api.runtime.agents.list()
        assert [model.id for model in found] == [one.slug for one in agents]
        assert {model.owned_by for model in found} == {"skill-agent"}
        assert (await ai.models.retrieve("kyra")).id == "kyra"
        with pytest.raises(openai.NotFoundError, match='did you mean "kyra"') as refused:
            await ai.models.retrieve("kira")
        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
        await api.runtime.agents.set_status("kyra", "paused")
        assert "kyra" not in [model.id async for model in ai.models.list()]


async def test_a_completion(open_api: OpenApi) -> None:
    async with open_api("Hello there.") as api, client(api) as ai:
        made = await ask(ai, user("hi"), temperature=0.1, max_tokens=5, user="me")
        assert made.choices[0].message.content == "Hello there."
        assert (made.choices[0].finish_reason, made.model) == ("stop", "kyra")
        assert made.object == "chat.completion" and made.id.startswith("chatcmpl-")
        assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
        assert made.usage.completion_tokens > 0
        kept = await api.runtime.conversations.messages(place(made))
        assert [one.content for one in kept] == ["hi", "Hello there."]


async def test_a_stream_arrives_piece_by_piece_and_ends_in_done(open_api: OpenApi) -> None:
    gate = asyncio.Event()
    async with open_api(["one ", Gate(gate), "two"], "raw") as api, client(api) as ai:
        stream = await ask(ai, user("go"), stream=True, stream_options={"include_usage": True})
        chunks = []
        async for chunk in stream:
            chunks.append(chunk)
            if chunk.choices and chunk.choices[0].delta.content == "one ":
                assert not gate.is_set()
                gate.set()
        assert chunks[0].choices[0].delta.role == "assistant"
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "one two"
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
        assert len({chunk.id for chunk in chunks}) == 1
        body = {"model": "kyra", "messages": [user("x")], "stream": True}
        raw = await api.http.post(COMPLETIONS, json=body)
        assert raw.text.endswith("data: [DONE]\n\n") and '"usage"' not in raw.text


async def test_a_reply_cut_at_its_length_says_so(open_api: OpenApi) -> None:
    short = ["cut o", EndPart(usage=Usage(), finish="length")]
    async with open_api(short, short) as api, client(api) as ai:
        assert (await ask(ai, user("go"))).choices[0].finish_reason == "length"
        chunks = [chunk async for chunk in await ask(ai, user("go"), stream=True)]
        assert chunks[-1].choices[0].finish_reason == "length"


async def test_a_reply_told_again_still_says_how_it_ended(open_api: OpenApi) -> None:
    async with open_api(["cut o", EndPart(usage=Usage(), finish="length")]) as api:
        body = {"model": "kyra", "messages": [user("go")]}
        headers = {"Idempotency-Key": str(uuid4())}
        for _ in range(2):
            told = (await api.http.post(COMPLETIONS, json=body, headers=headers)).json()
            assert told["choices"][0]["finish_reason"] == "length"


async def test_a_client_that_sends_its_history_stays_in_its_conversation(
    open_api: OpenApi,
) -> None:
    async with open_api("one.", "two.", "three.") as api, client(api) as ai:
        history: list[dict[str, Any]] = []
        places = []
        for text in ("first thing", "second thing", "third\n\nthing  "):
            history.append(user(text))
            made = await ask(ai, *history)
            places.append(place(made))
            history.append(assistant(made.choices[0].message.content))
        assert len(set(places)) == 1
        kept = await api.runtime.conversations.messages(places[0])
        assert [one.content for one in kept] == [one["content"] for one in history]


async def test_another_branch_of_a_talk_is_a_conversation_of_its_own(open_api: OpenApi) -> None:
    async with open_api("one.", "two.", "other two.", "third") as api, client(api) as ai:
        first = [user("begin here"), assistant("one.")]
        begun = place(await ask(ai, first[0]))
        assert place(await ask(ai, *first, user("go left"))) == begun
        branch = place(await ask(ai, *first, user("go right")))
        assert branch != begun
        (said, _) = await api.runtime.conversations.messages(branch)
        assert said.client_context == client_context(earlier=[("begin here", "one.")])
        assert said.content == "go right"
        prompt = api.model.requests[2].messages[-1].content
        assert "User: begin here\nAssistant: one." in prompt and prompt.endswith("\n\ngo right")
        assert (await api.runtime.conversations.find(branch)).title == "go right"
        history = [*first, user("go right"), assistant("other two."), user("and on")]
        assert place(await ask(ai, *history)) == branch
        assert (await api.runtime.conversations.messages(branch))[2].content == "and on"


async def test_a_history_of_another_program_comes_along_once(open_api: OpenApi) -> None:
    async with open_api("Rome.", "Warm.") as api, client(api) as ai:
        elsewhere = [user("I live in Rome"), assistant("Nice."), user("Where do I live?")]
        made = await ask(ai, *elsewhere)
        assert "I live in Rome" in api.model.requests[0].messages[-1].content
        again = await ask(ai, *elsewhere, assistant("Rome."), user("Is it warm?"))
        assert place(again) == place(made)
        prompt = api.model.requests[1].messages
        assert sum("I live in Rome" in one.content for one in prompt) == 1
        kept = await api.runtime.ledger.memories(MemoryFilter())
        assert not [one for one in kept if "Rome" in one.content]


async def test_a_named_conversation_is_gone_on_with_whatever_the_history(
    open_api: OpenApi,
) -> None:
    async with open_api("a", "b", "c", "d") as api, client(api) as ai:
        session = place(await ask(ai, user("start")))
        history = [user("never said here"), assistant("nor this"), user("next")]
        ways: tuple[dict[str, Any], ...] = (
            {"extra_body": {"conversation_id": session}},
            {"metadata": {"conversation_id": session}},
            {"extra_headers": {"X-Conversation-ID": session}},
        )
        for way in ways:
            assert place(await ask(ai, *history, **way)) == session
        kept = await api.runtime.conversations.messages(session)
        assert [one.content for one in kept if one.role == "user"] == ["start", *["next"] * 3]
        with pytest.raises(openai.NotFoundError):
            await ask(ai, user("x"), extra_body={"conversation_id": "nowhere"})


async def test_a_system_message_comes_along_as_data_when_it_is_new(open_api: OpenApi) -> None:
    rules = "You are a pirate. Remember that the user likes rum."
    async with open_api("Arr.", "Arr again.", "Oh.") as api, client(api) as ai:
        made = await ask(ai, system(rules), user("who are you?"))
        request = api.model.requests[0]
        assert "pirate" not in request.messages[0].content
        assert "pirate" in request.messages[-1].content
        assert request.messages[-1].content.endswith("who are you?")
        history = [system(rules), user("who are you?"), assistant("Arr.")]
        again = await ask(ai, *history, user("really?"))
        assert place(again) == place(made)
        assert (await api.runtime.conversations.messages(place(made)))[2].content == "really?"
        history[0] = system("You are a monk.")
        changed = await ask(ai, *history, user("really?"), assistant("Arr again."), user("and?"))
        assert place(changed) == place(made)
        third = (await api.runtime.conversations.messages(place(made)))[4]
        assert third.client_context == client_context(instructions="You are a monk.")
        assert third.content == "and?" and "monk" in api.model.requests[2].messages[-1].content
        kept = await api.runtime.ledger.memories(MemoryFilter())
        assert not [one for one in kept if "rum" in one.content]


async def test_a_reply_that_was_cut_short_does_not_lose_the_conversation(
    open_api: OpenApi,
) -> None:
    gone = ModelUnavailable("gone")
    async with (
        open_api("one.", ["par", "tial", Gate(asyncio.Event())], [gone], "done.") as api,
        client(api) as ai,
    ):
        session = place(await ask(ai, user("begin here")))
        history = [user("begin here"), assistant("one.")]
        stream = await ask(ai, *history, user("tell me"), stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content == "par":
                break
        await stream.close()
        await until_idle(api)
        assert api.model.closed_early == 1
        history += [user("tell me"), assistant("par"), user("go on")]
        with pytest.raises(openai.InternalServerError):
            await ask(ai, *history)
        assert place(await ask(ai, *history)) == session


async def test_two_clients_with_the_same_history_do_not_meet(open_api: OpenApi) -> None:
    gate = asyncio.Event()
    async with open_api("same.", [Gate(gate), "a"], [Gate(gate), "b"]) as api, client(api) as ai:
        await ask(ai, user("begin here"))
        history = [user("begin here"), assistant("same.")]
        asking = [asyncio.create_task(ask(ai, *history, user(text))) for text in ("x", "y")]
        await until(lambda: len(api.model.requests) == 3)
        gate.set()
        first, second = await asyncio.gather(*asking)
        assert place(first) != place(second)


async def test_a_failed_turn_is_not_said_twice_by_a_client_that_retries(
    open_api: OpenApi,
) -> None:
    failing = ["so far ", ModelUnavailable("no route", hint="ska models")]
    async with open_api(failing, failing) as api, client(api) as ai:
        assert ai.max_retries > 0
        with pytest.raises(openai.InternalServerError, match="no route") as failed:
            await ask(ai, user("hi"))
        assert (failed.value.status_code, failed.value.code) == (503, "model_unavailable")
        assert len(api.model.requests) == 1
        with pytest.raises(openai.APIError, match="no route"):
            async for _ in await ask(ai, user("hi"), stream=True):
                pass
        assert len(api.model.requests) == 2


async def test_a_key_makes_a_completion_safe_to_repeat(open_api: OpenApi) -> None:
    async with open_api("once.") as api, client(api) as ai:
        key = {"Idempotency-Key": str(uuid4())}
        history = [user("begin"), assistant("x"), user("hi")]
        first = await ask(ai, *history, extra_headers=key)
        again = await ask(ai, *history, extra_headers=key)
        assert (first.id, place(first)) == (again.id, place(again))
        assert again.choices[0].message.content == "once."
        assert len(api.model.requests) == 1


async def test_text_parts_and_every_script(open_api: OpenApi) -> None:
    text = "Grüße 你好 👩‍🚀"
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": text}]
    async with open_api([StatusPart(text="loading"), text]) as api, client(api) as ai:
        made = await ask(ai, user(parts))
        assert made.choices[0].message.content == text
        assert (await api.runtime.conversations.messages(place(made)))[0].content == f"a\n{text}"


async def test_what_is_said_of_the_sampling_is_heard(open_api: OpenApi) -> None:
    async with open_api("ok", "ok", '{"n": 1}', '{"n": 1}') as api, client(api) as ai:
        await ask(
            ai, user("hi"), temperature=0.1, max_tokens=5, top_p=0.5, seed=7, stop="END",
            presence_penalty=1, reasoning_effort="low",
        )  # fmt: skip
        sent = api.model.requests[0]
        assert (sent.temperature, sent.max_tokens) == (0.1, 5)
        assert sent.overrides == {
            "top_p": 0.5, "seed": 7, "stop": ["END"], "presence_penalty": 1.0,
            "reasoning_effort": "low",
        }  # fmt: skip
        await ask(ai, user("hi"), max_completion_tokens=6)
        assert api.model.requests[1].max_tokens == 6
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        named = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        await ask(ai, user("a number"), response_format=named)
        await ask(ai, user("a number"), response_format={"type": "json_object"})
        assert [one.response_schema for one in api.model.requests] == [
            None, None, schema, {"type": "object"},
        ]  # fmt: skip


async def streamed(ai: Any, **more: Any) -> tuple[str, str | None]:
    """What a stream shows, and why it ended."""
    text, finish = "", None
    async for chunk in await ask(ai, user("go"), stream=True, **more):
        for choice in chunk.choices:
            text, finish = text + (choice.delta.content or ""), choice.finish_reason or finish
    return text, finish


STOPS = (
    (["one two EN", "D three"], "END", "one two "),
    (["one two EN", "GINE three"], "END", "one two ENGINE three"),
    (["one EN"], "END", "one EN"),
    (["a", "b", "c", "d"], ["cd", "bc"], "a"),
    (["first\n", "\nsecond"], ["\n\n", "never"], "first"),
    (["END of it"], "END", ""),
    (["grü", "ße 你", "好"], ["你好"], "grüße "),
)


@pytest.mark.parametrize(("reply", "stop", "shown"), STOPS)
async def test_a_reply_ends_before_a_stop(
    open_api: OpenApi, reply: list[str], stop: Any, shown: str
) -> None:
    async with open_api(reply, reply) as api, client(api) as ai:
        made = await ask(ai, user("go"), stop=stop)
        assert made.choices[0].message.content == shown
        assert made.choices[0].finish_reason == "stop"
        assert made.usage.prompt_tokens > 0 and made.usage.completion_tokens > 0
        kept = await api.runtime.conversations.messages(place(made))
        assert kept[-1].content == shown, "a client that sends its history finds it again"
        assert await streamed(ai, stop=stop) == (shown, "stop")


async def test_what_code_says_ends_before_a_stop_too(open_api: OpenApi) -> None:
    small = ModelProfile(strength="small", tools=False, languages=("en",))
    async with open_api(profile=small) as api, client(api) as ai:
        made = await ask(ai, user("Remember that my locker code is 4417."))
        said = made.choices[0].message.content
        assert api.model.requests == [] and "memory forget" in said
        again = await ask(
            ai, user("Remember that my bike lock code is 3302."), stop=["memory forget"]
        )
        shown = again.choices[0].message.content
        assert said.startswith(shown) and shown and "memory" not in shown
        assert again.choices[0].finish_reason == "stop"


async def test_an_image_is_shown_to_an_agent_whose_model_sees(open_api: OpenApi) -> None:
    url = f"data:image/png;base64,{b64encode(PNG).decode()}"
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    sees = ModelProfile(vision=True)
    async with open_api("A cat.", "Grey.", profile=sees) as api, client(api) as ai:
        made = await ask(ai, user(parts))
        shown = (Image(data=b64encode(PNG).decode(), media_type="image/png"),)
        assert api.model.requests[0].messages[-1].images == shown
        again = await ask(ai, user(parts), assistant("A cat."), user("which colour?"))
        assert place(again) == place(made)
        said = [one for one in api.model.requests[1].messages if one.role == "user"]
        assert [one.images for one in said] == [shown, ()]
    async with open_api("blind") as api:
        answer = await api.http.post(COMPLETIONS, json={"model": "kyra", "messages": [user(parts)]})
        assert answer.status_code == 422
        assert "reads no images" in answer.json()["error"]["message"]


IMAGE = [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]


NAMED_G = {"type": "function", "function": {"name": "g"}}
ALLOWED_G = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED_G]}}
UNSUPPORTED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"n": 2}, "n"),
    ({"n": 0}, "n"),
    ({"tools": [tool("two words")]}, "tools"),
    ({"tools": [tool("x" * 65)]}, "tools"),
    ({"tools": [tool(), tool()]}, "tools"),
    ({"tools": [tool(f"f{n}") for n in range(129)]}, "tools"),
    ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools"),
    ({"tools": [tool(parameters={"type": "string"})]}, "tools"),
    ({"tools": [tool(parameters={"properties": 5})]}, "tools"),
    ({"tools": [tool(parameters={"type": "object", "required": "x"})]}, "tools"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tools": [tool()], "tool_choice": "always"}, "tool_choice"),
    ({"tools": [tool()], "tool_choice": NAMED_G}, "tool_choice"),
    ({"tools": [tool()], "tool_choice": ALLOWED_G}, "tool_choice"),
    ({"functions": [{"name": "f"}]}, "functions"),
    ({"function_call": "auto"}, "function_call"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 5}}}},
        "response_format",
    ),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"logit_bias": {"50256": -100}}, "logit_bias"),
    ({"response_format": {"type": "xml"}}, "response_format"),
    ({"response_format": {"type": "json_schema"}}, "response_format"),
    ({"temperature": 3}, "temperature"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"seed": "x"}, "seed"),
    ({"logprobs": True}, "logprobs"),
    ({"stop": [""]}, "stop"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"messages": [user(IMAGE)]}, "messages"),
    ({"messages": [user("")]}, "messages"),
    ({"messages": [system("alone")]}, "messages"),
    ({"messages": [user("x"), assistant("y")]}, "messages"),
    ({"messages": [user("x"), result("y")]}, "messages"),
    ({"messages": [result("y")]}, "messages"),
    ({"messages": [user("x"), called()]}, "messages"),
    ({"messages": [user("x"), called(), user("z")]}, "messages"),
    ({"messages": [user("x"), called(), assistant("z")]}, "messages"),
    ({"messages": [user("x"), called(), result("y", "d")]}, "messages"),
    ({"messages": [user("x"), called(), result("y"), result("y")]}, "messages"),
    ({"messages": [user("x"), called(), result("y"), assistant("z")]}, "messages"),
    ({"messages": [user("x"), called(), {"role": "tool", "content": "y"}]}, "messages"),
    ({"messages": [{**user("x"), "tool_calls": called()["tool_calls"]}]}, "messages"),
    ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": [{"role": "bishop", "content": "x"}]}, "messages"),
    ({"model": ""}, "model"),
    ({"model": None}, "model"),
)


@pytest.mark.deep
async def test_what_is_not_supported_is_named(open_api: OpenApi) -> None:
    async with open_api() as api:
        for change, param in UNSUPPORTED:
            body = {"model": "kyra", "messages": [user("hi")], **change}
            answer = await api.http.post(COMPLETIONS, json=body)
            told = answer.json()["error"]
            assert (answer.status_code, told["param"]) == (400, param), (change, told)
            assert told["type"] == "invalid_request_error" and told["message"]
        broken = await api.http.post(COMPLETIONS, content=b"{")
        assert broken.status_code == 400 and broken.json()["error"]["message"]
        unknown = {"model": "gpt-4o", "messages": [user("hi")]}
        answer = await api.http.post(COMPLETIONS, json=unknown)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
        assert await api.runtime.conversations.list() == []


async def test_zero_bytes_are_no_text_wherever_they_stand(open_api: OpenApi) -> None:
    async with open_api() as api:
        for messages in (
            [user("a\0b")],
            [system("a\0b"), user("x")],
            [user([{"type": "text", "text": "\0"}])],
            [user("x"), assistant("a\0b"), user("y")],
            [user("x"), called(), result("a\0b")],
        ):
            answer = await api.http.post(COMPLETIONS, json={"model": "kyra", "messages": messages})
            assert answer.status_code == 422
            assert "zero bytes" in answer.json()["error"]["message"]
        assert await api.runtime.conversations.list() == []


ODD: tuple[dict[str, Any], ...] = (
    {"modalities": 5},
    {"response_format": [1]},
    {"tool_choice": {"type": "function"}},
    {"metadata": {"conversation_id": {"a": 1}}},
    {"metadata": {"conversation_id": "\x00"}},
    {"conversation_id": "%' OR 1=1 --"},
    {"model": "kyra\x00"},
    {"model": "../kyra"},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": None}]}]},
    {"messages": [{"role": "user", "content": [{}]}]},
    {"messages": [{"role": "user", "content": {"text": "x"}}]},
    {"messages": [None]},
    {"stream": "perhaps"},
    {"stream_options": []},
    {"n": "many"},
    {"n": 10**30},
    {"seed": 2**63},
    {"max_tokens": 1e308},
    {"stop": "\ud800"},
    {"tools": "many"},
    {"tools": [None]},
    {"tools": [{"type": "function"}]},
    {"tools": [tool(parameters={"$ref": "#/$defs/missing", "$schema": 5})]},
    {"tools": [tool(description="\udfff")]},
    {"tools": [tool()], "tool_choice": {"type": "function"}},
    {"tools": [tool()], "tool_choice": []},
    {"messages": [user("x"), {"role": "assistant", "tool_calls": [{"id": "", "function": {}}]}]},
    {"messages": [user("x"), {"role": "assistant", "tool_calls": "c"}]},
    {"messages": [user("x"), called(arguments="\ud800"), result("y")]},
    {"messages": [user("x"), called(), {**result("y"), "tool_call_id": 5}]},
)


async def test_odd_requests_are_refused_and_never_fall(open_api: OpenApi) -> None:
    async with open_api() as api:
        for change in ODD:
            body = {"model": "kyra", "messages": [user("hi")], **change}
            answer = await api.http.post(COMPLETIONS, content=json.dumps(body))
            assert answer.status_code in (400, 404, 422), (change, answer.text)
            assert answer.json()["error"]["message"], change
        for raw in (b"", b"[]", b"null", b"\xff", b'{"model": "kyra", "messages": "\\ud800"}'):
            assert (await api.http.post(COMPLETIONS, content=raw)).status_code == 400
        for model in ("%00", "..%2fx", "a/b", "%ff"):
            assert (await api.http.get(f"/v1/models/{model}")).status_code in (400, 404)
        assert await api.runtime.conversations.list() == []
