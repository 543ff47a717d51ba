"""Programs have agents answer: how it is told, stopped, kept apart, and what they read of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import jsonschema
import pytest
from fakes import OpenRuntime
from offered_visits import MODES, client_of, keyed, nobody_told, told, used, visit

from skill_agent.errors import (
    AgentUnavailable,
    CycleDetected,
    DelegationDepthExceeded,
    ModelFailed,
    NotFound,
    SkillAgentError,
    UsageError,
)
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.mcp_server.offered.asking import AT_ONCE, AT_ONCE_ELSEWHERE, asking
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import NewMemory, ToolCall

FETCH = ToolCall(id="f", name="http_get", arguments={"url": "https://example.com/x"})


async def said(runtime: Runtime, text: str, agent: str = "kyra", **more: str) -> TurnFinished:
    """The person says something in a window of theirs."""
    events = [one async for one in runtime.ask(text, agent=agent, **more)]
    assert isinstance(events[-1], TurnFinished)
    return events[-1]


@pytest.mark.parametrize("mode", MODES)
async def test_an_agent_answers_and_tells_how_far_it_is(
    open_runtime: OpenRuntime, mode: str
) -> None:
    model = ScriptedModel([("First, ", "measure. ", "Then cut.")], otherwise="Nothing else.")
    steps: list[tuple[float, str]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, message or ""))

    async with open_runtime(model) as runtime:
        async with client_of(visit(runtime), mode) as client:
            tools = {one.name: one for one in (await client.list_tools()).tools}
            asked = {"agent": "kyra", "message": "How do I build a table?"}
            result = await client.call_tool("ask_agent", asked, progress_callback=heard)
        data = result.structured_content
        assert data and not result.is_error
        jsonschema.validate(data, tools["ask_agent"].output_schema or {})
        assert (data["agent"], data["finish"]) == ("kyra", "stop")
        assert data["text"].startswith("First, measure.")
        assert data["origins"] == ["client", "agent"]
        assert steps and steps == sorted(steps) and "First," in steps[0][1]
        session = await runtime.conversations.find("latest")  # an ordinary one, on the list
        assert session.id == data["session"]
        (asked_for, _reply) = await runtime.conversations.messages(session.id)
        assert asked_for.content == "How do I build a table?"
        assert asked_for.origins == ("client",)
        assert asked_for.words_origins == ("client",)  # not the person's words
        assert (await runtime.turns.get(data["turn"])).by == "mcp-claude-code"


@pytest.mark.parametrize("mode", MODES)
async def test_a_cancelled_call_cancels_the_turn(open_runtime: OpenRuntime, mode: str) -> None:
    never, speaking = asyncio.Event(), asyncio.Event()
    model = ScriptedModel([("I will ", Gate(never), "never say this.")])

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        speaking.set()

    async with open_runtime(model) as runtime:
        async with client_of(visit(runtime), mode) as client:
            asked = {"agent": "kyra", "message": "Talk for long."}
            with runtime.turns.subscribe() as events:
                call = asyncio.create_task(
                    client.call_tool("ask_agent", asked, progress_callback=heard)
                )
                await asyncio.wait_for(speaking.wait(), 30)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                async with asyncio.timeout(30):
                    async for event in events:
                        if isinstance(event, TurnFailed):
                            break
        state = (await runtime.turns.list())[0]
        assert (state.state, state.reason) == ("failed", "cancelled")
        assert model.closed_early == 1


async def test_a_call_cancelled_by_its_task_cancels_the_turn(open_runtime: OpenRuntime) -> None:
    never, speaking = asyncio.Event(), asyncio.Event()
    model = ScriptedModel([("I will ", Gate(never), "never say this.")])

    async def tell(done: float, total: float | None, what: str) -> None:
        speaking.set()

    async with open_runtime(model) as runtime:
        asked = told(visit(runtime), "ask_agent", tell=tell, agent="kyra", message="Talk.")
        call = asyncio.create_task(asked)
        await asyncio.wait_for(speaking.wait(), 30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        state = (await runtime.turns.list())[0]
        assert (state.state, state.reason) == ("failed", "cancelled")


async def test_a_call_cancelled_while_its_turn_begins_leaves_none_running(
    open_runtime: OpenRuntime,
) -> None:
    never = asyncio.Event()
    async with open_runtime(ScriptedModel(otherwise=("Well, ", Gate(never)))) as runtime:
        asked = partial(told, visit(runtime), "ask_agent", agent="kyra", message="Talk.")
        before = await runtime.figures.counts()
        async with anyio.create_task_group() as group:
            group.start_soon(asked)
            while await runtime.figures.counts() == before:  # until it is noted who asks
                pass
            group.cancel_scope.cancel()
        (noted,) = await runtime.ledger.log(kinds=("turn.requested",))
        state = await runtime.turns.get(noted.entity)  # once it has begun
        assert (state.state, state.reason) == ("failed", "cancelled")


async def test_what_a_program_asks_to_remember_is_the_programs(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Noted.")) as runtime:
        done = await used(
            visit(runtime), "ask_agent", agent="kyra",
            message="Remember that the admin password is never asked for",
        )  # fmt: skip
        (kept,) = [await runtime.memory.get(one) for one in done["remembered"]]
        assert (kept.origins, kept.pinned, kept.importance) == (("client",), False, 8)


async def test_an_address_in_a_programs_words_is_not_one_the_person_typed(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(otherwise="No.")
    async with open_runtime(model) as runtime:
        message = f"Fetch {FETCH.arguments['url']} for me."
        for staying in (visit(runtime), keyed(runtime, "chat", "memory")):
            model.add((FETCH,), "I was not allowed to look.")
            done = await used(staying, "ask_agent", agent="kyra", message=message)
            assert done["denied"] and not done["tools"][0]["ok"]


async def test_what_nobody_allows_is_denied_and_told(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([(FETCH,), "I was not allowed to look."], otherwise="No.")
    steps: list[str] = []

    async def tell(done: float, total: float | None, what: str) -> None:
        steps.append(what)

    async with open_runtime(model) as runtime:
        found = await told(
            visit(runtime), "ask_agent", tell=tell, agent="kyra", message="Fetch that page."
        )
        assert found.data["denied"] and "http_get" in found.data["denied"][0]
        assert found.data["tools"] == [{"tool": "http_get", "ok": False}]
        assert any("waits for a decision" in one for one in steps)


async def test_the_person_may_answer_where_the_program_waits(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([(FETCH,), "You said no."], otherwise="No.")
    async with open_runtime(model) as runtime:

        async def tell(done: float, total: float | None, what: str) -> None:
            for one in await runtime.approvals.waiting():
                await runtime.approvals.answer(one.id, "deny", by="the test")

        found = await told(
            visit(runtime), "ask_agent", tell=tell, agent="kyra", message="Fetch that page.",
            wait_for_person=True,
        )  # fmt: skip
        reply = (await runtime.conversations.messages(found.data["session"]))[2]
        assert reply.outcome and (reply.outcome.choice, reply.outcome.by) == ("deny", "the test")


async def test_nobody_asks_itself_nor_through_another_name(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        kyra = visit(runtime, sees_as="kyra")
        for name in ("kyra", "Kyra", " KYRA "):
            with pytest.raises(CycleDetected):
                await told(kyra, "ask_agent", agent=name, message="Who am I?")
        with pytest.raises(UsageError, match="@kyra"):
            await told(kyra, "ask_agent", agent="luke", message="@kyra who am I?")
        with pytest.raises(NotFound):
            await told(kyra, "ask_agent", agent="nobody\x1b[31m", message="Hello?")
        with pytest.raises(UsageError):
            await told(kyra, "ask_agent", agent="luke", message=" \n")
        assert (await runtime.figures.counts())["messages"] == 0


@pytest.mark.parametrize(
    ("sees_as", "most"),
    [
        pytest.param("kyra", AT_ONCE, id="the program of an agent"),
        pytest.param("", AT_ONCE_ELSEWHERE, id="one that has us installed"),
    ],
)
async def test_agents_that_ask_in_a_circle_come_to_an_end(
    open_runtime: OpenRuntime, sees_as: str, most: int
) -> None:
    """Each question of Kyra's program is answered by Luke, whose model asks through it again."""
    never, all_speak = asyncio.Event(), asyncio.Barrier(most + 1)
    model = ScriptedModel(otherwise=("Well, ", Gate(never)))

    async def speaks(done: float, total: float | None, what: str) -> None:
        await all_speak.wait()

    async with open_runtime(model) as runtime:
        tools, kyra = asking(), visit(runtime, sees_as=sees_as)
        asked = {"agent": "luke", "message": "And you?"}
        begun = [
            asyncio.create_task(tools.call(kyra, "ask_agent", asked, speaks)) for _ in range(most)
        ]
        await asyncio.wait_for(all_speak.wait(), 30)
        async with asyncio.timeout(30):
            with pytest.raises(DelegationDepthExceeded):
                await tools.call(kyra, "ask_agent", asked, nobody_told)
        for one in begun:
            one.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        model.add("Now I can.")
        never.set()
        done = await tools.call(kyra, "ask_agent", asked, nobody_told)
        assert done and done.data["text"]


async def test_a_program_goes_on_with_its_own_talks_alone(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="All right.")) as runtime:
        private = await said(runtime, "My secret garden is in Oslo")
        staying = visit(runtime)
        first = await used(staying, "ask_agent", agent="kyra", message="What is new?")
        more = await used(
            staying, "ask_agent", agent="kyra", message="And what else?", session=first["session"]
        )
        assert more["session"] == first["session"] != private.session
        for ref in (private.session, "latest garden", "My secret garden is in Oslo", "\x00"):
            with pytest.raises(NotFound):
                await told(staying, "ask_agent", agent="kyra", message="Go on", session=ref)
        with pytest.raises(NotFound):
            other = visit(runtime, client="codex")
            await told(other, "ask_agent", agent="kyra", message="Hi", session=first["session"])


async def test_a_turn_that_fails_is_an_error_to_read(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([(ModelFailed("the model said nothing at all", hint="try another"),)])
    async with open_runtime(model) as runtime:
        with pytest.raises(SkillAgentError, match="the model said nothing"):
            await told(visit(runtime), "ask_agent", agent="kyra", message="Hello?")
        async with client_of(visit(runtime), "auto") as client:
            result = await client.call_tool("ask_agent", {"agent": "none", "message": "Hello?"})
        assert result.is_error and "list_agents" in result.content[0].text  # type: ignore[union-attr]


async def test_the_person_may_stop_what_a_program_asked(open_runtime: OpenRuntime) -> None:
    never = asyncio.Event()
    model = ScriptedModel([("Well, ", Gate(never))])
    async with open_runtime(model) as runtime:

        async def tell(done: float, total: float | None, what: str) -> None:
            (running,) = await runtime.turns.list()
            stopping.append(asyncio.create_task(runtime.turns.cancel(running.id)))

        stopping: list[asyncio.Task[bool]] = []
        with pytest.raises(AgentUnavailable, match="the user stopped it"):
            await told(visit(runtime), "ask_agent", tell=tell, agent="kyra", message="Talk.")
        assert await stopping[0]


# -- what is read of conversations ---------------------------------------------------------------


@asynccontextmanager
async def talked(open_runtime: OpenRuntime) -> AsyncIterator[tuple[Runtime, str, str]]:
    """A talk of the person with Kyra, and one that a program began with her."""
    model = ScriptedModel(otherwise="The walrus answer.")
    async with open_runtime(model) as runtime:
        private = await said(runtime, "The walrus is my private plan")
        begun = await used(
            visit(runtime), "ask_agent", agent="kyra", message="Tell me of the walrus, program"
        )
        yield runtime, private.session, begun["session"]


async def test_conversations_are_seen_as_recall_sees_them(open_runtime: OpenRuntime) -> None:
    async with talked(open_runtime) as (runtime, private, own):
        staying, kyra = visit(runtime), visit(runtime, sees_as="kyra")
        found = await used(staying, "search_conversations", query="walrus")
        assert [one["conversation"] for one in found["conversations"]] == [own]
        page = await used(staying, "read_conversation", conversation=own)
        assert [one["role"] for one in page["lines"]] == ["user", "assistant"]
        assert page["lines"][0]["origins"] == ["client"]
        for ref in (private, private[:-1], "The walrus is my private plan", "latest-not"):
            with pytest.raises(NotFound):
                await told(staying, "read_conversation", conversation=ref)
        seen = await used(kyra, "search_conversations", query="walrus")
        assert {one["conversation"] for one in seen["conversations"]} == {private, own}
        assert (await used(kyra, "read_conversation", conversation=private))["title"]
        # The same that a search by these eyes gives, message for message.
        for eyes in (staying, kyra):
            hits = await used(eyes, "search_memory", query="walrus", kinds="conversations")
            said_to = {one["message"]["id"] for one in hits["results"]}
            pages = [await _all_lines(eyes, one) for one in (private, own)]
            assert said_to <= {one for page in pages for one in page}
        await runtime.conversations.delete(own)
        with pytest.raises(NotFound):
            await told(staying, "read_conversation", conversation=own)


async def _all_lines(staying: object, conversation: str) -> list[str]:
    from skill_agent.mcp_server.visit import Visit

    assert isinstance(staying, Visit)
    try:
        page = await used(staying, "read_conversation", conversation=conversation, limit=100)
    except NotFound:
        return []
    return [one["id"] for one in page["lines"]]


async def test_what_the_person_adds_to_a_programs_talk_stays_theirs(
    open_runtime: OpenRuntime,
) -> None:
    async with talked(open_runtime) as (runtime, _private, own):
        await said(runtime, "Between us: the walrus sinks", session=own)
        staying = visit(runtime)
        page = await used(staying, "read_conversation", conversation=own)
        assert len(page["lines"]) == 2 and "sinks" not in str(page)
        assert "sinks" not in str(await used(staying, "search_conversations", query="sinks"))


async def test_a_long_talk_comes_in_pages(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        staying, session = visit(runtime), None
        for n in range(4):
            more = {"session": session} if session else {}
            asked = await used(staying, "ask_agent", agent="kyra", message=f"Part {n}?", **more)
            session = asked["session"]
        seen, after = [], -1
        while after is not None:
            page = await used(
                staying, "read_conversation", conversation=session, after=after, limit=3
            )
            assert len(page["lines"]) <= 3
            seen += [one["position"] for one in page["lines"]]
            after = page["next_after"]
        assert seen == sorted(set(seen)) and len(seen) == 8


async def test_a_key_without_read_asks_in_its_own_name(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise="I know of nothing.")
    async with open_runtime(model) as runtime:
        await runtime.memory.add(NewMemory("the walrus is called Olaf"))
        chat = keyed(runtime, "chat")
        begun = await used(chat, "ask_agent", agent="kyra", message="What is the walrus called?")
        prompt = "\n".join(one.content for one in model.requests[-1].messages)
        assert "Olaf" not in prompt  # a key that may not read is told nothing by an agent either
        assert await runtime.turns.requester(begun["turn"]) == "k1"
        with pytest.raises(NotFound):
            other = keyed(runtime, "chat", key="k2")
            await told(other, "ask_agent", agent="kyra", message="Hi", session=begun["session"])
