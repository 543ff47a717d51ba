"""One workstation, wherever the home is open: each thing it can do, here and from another process.

Every test runs twice. The last one sees to it that none of the table is left out.
"""

import ast
import asyncio
import json
import sys
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from exports import chatgpt, written
from hosts import OpenStation

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import (
    ConfigErrors,
    Conflict,
    ModelFailed,
    NotFound,
    SkillAgentError,
    UsageError,
)
from skill_agent.events import (
    ApprovalAsked,
    CollaborationChanged,
    Event,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.memory.rows import memory_row
from skill_agent.models.scripted import ScriptedModel
from skill_agent.settings.parsing import setting_values
from skill_agent.settings.schema import Settings
from skill_agent.values import (
    Allowance,
    FoundSession,
    Handoff,
    Image,
    ImportResult,
    InboxStanding,
    JobChange,
    Memory,
    MemoryDifference,
    MemoryFilter,
    Message,
    ModelProfile,
    NewCollaboration,
    NewJob,
    NewMemory,
    NewTask,
    NewWebhook,
    NewWork,
    Participant,
    PastRequest,
    ReportRequest,
    RunLimits,
    Search,
    Seat,
    SeatMoment,
    Session,
    SeveralRequest,
    Source,
    SummaryRequest,
    ToolCall,
    TurnRequest,
)
from skill_agent.workstation import Workstation, table

SINCE = datetime(2026, 11, 1, tzinfo=UTC)

NOT_DRIVEN = {
    "host.stop": "would end this process; test_window.py asks it of a host that goes away",
}


def model(*replies: Any) -> ScriptedModel:
    return ScriptedModel(replies, otherwise="All right.")


def stored(number: int, **more: Any) -> Memory:
    at = SINCE + timedelta(minutes=number)
    return Memory(
        id=f"row-{number:05}", content=f"Note {number} of the garden", created_at=at, updated_at=at,
        **more,
    )  # fmt: skip


async def bring(station: Workstation, memories: list[Memory], path: Path) -> ImportResult:
    """Memories as they are, out of a file that the home itself signed."""
    rows = "".join(json.dumps(memory_row(one)) + "\n" for one in memories)
    await asyncio.to_thread(path.write_text, rows)
    key = await station.user_data.sign(str(path))
    plan = await station.user_data.plan_memories(str(path), key=key)
    assert plan.trusted and sum(plan.memories.values()) == len(memories)
    return await station.user_data.import_memories(str(path))


async def whole(station: Workstation, text: str, **wishes: Any) -> list[Event]:
    return [event async for event in station.ask(text, **wishes)]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_what_it_is(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model()) as station:
        info = await station.figures.info()
        assert station.home.root == tmp_path / "home" == Path(info.id)
        assert isinstance(station.settings, Settings)
        assert station.settings.model_dump(mode="json") == info.settings
        assert (info.user, info.default_agent, info.role) == ("me", "kyra", "test")
        assert await station.figures.counts() == {
            "sessions": 0,
            "messages": 0,
            "memories": 0,
            "log": 0,
        }
        assert await station.figures.warnings() == []
        assert (await station.figures.usage()).turns == 0
        since = datetime(2026, 11, 1, tzinfo=UTC)
        used = await station.figures.usage(by="agent", since=since, agent="kyra", zone="+01:00")
        assert (used.rows, [one.id for one in used.budgets]) == ((), ["kyra"])
        assert [one.id for one in await station.tiers.list()] == ["fast", "balanced", "powerful"]
        checked = await station.tiers.budget(agent="kyra", estimated_usd=0.01)
        assert (checked.id, checked.allowed) == ("kyra", True)
        assert {skill.name for skill in await station.skills.list()} >= {"code-review"}
        assert [one.name for one in await station.models.list()] == ["scripted/model"]
        assert (await station.models.info("kyra")).context_window == 8192


async def test_a_memorys_life(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        book, key = station.memory, new_id()
        expires = datetime(2030, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
        kept = await book.add(
            NewMemory("I drink tea ☕\u2028", memory_type="user_profile", subject="user.taste",
            importance=9, source=Source(session="s", message_ids=("a", "b")), expires_at=expires,
            metadata={"n": [1, 2.5, None, {"x": True}]}, pinned=True, key=key),
        )  # fmt: skip
        assert kept.id == key and kept.expires_at == expires and kept.tier == "hot"
        assert kept.source == Source(session="s", message_ids=("a", "b"))
        assert await book.get(key) == kept
        assert await book.add(NewMemory("I drink tea ☕\u2028", key=key)) == kept
        with pytest.raises(Conflict):
            await book.add(NewMemory("something else", key=key))
        assert not (await book.unpin(key)).pinned
        assert (await book.pin(key)).pinned
        assert (await book.forget(key, reason="enough")).status == "archived"
        assert (await book.restore(key)).status == "active"
        new = await book.correct(key, "I drink coffee", reason="changed")
        assert new.version == 2 and (await book.get(key)).superseded_by == new.id
        log = await book.log(key)
        assert [row.kind for row in log][:2] == ["memory.created", "memory.unpinned"]
        assert isinstance(log[0].at, datetime) and isinstance(log[0].new, dict)
        story = await book.story(new.id)
        assert [one.id for one in story.versions] == [key, new.id]
        assert await book.list(MemoryFilter(statuses=("active",))) == [new]
        assert await book.types() == await book.types(agent="kyra") == {"user_profile": 1}


async def test_listings_are_whole_and_bounded(open_station: OpenStation, tmp_path: Path) -> None:
    many = [stored(n, importance=1 + n % 10) for n in range(2_300)]
    async with open_station(model()) as station:
        book = station.memory
        result = await bring(station, many, tmp_path / "many.jsonl")
        assert (result.added, result.skipped, result.conflicts) == (2_300, 0, ())
        assert (await book.keep(many[:7])).skipped == 7
        newest = many[::-1]
        assert await book.list() == newest[:100]
        assert await book.list(MemoryFilter(limit=2_250)) == newest[:2_250]
        assert await book.list(MemoryFilter(limit=5, offset=3)) == newest[3:8]
        last = newest[9]
        assert (
            await book.list(MemoryFilter(limit=5, before=(last.created_at, last.id)))
            == (newest[10:15])
        )
        assert len(await book.list(MemoryFilter(limit=9_999, min_importance=10))) == 230
        before = await book.position()
        new = [await book.add(f"New {n}") for n in range(3)]
        assert await book.written_since(before) == new
        assert await book.position() == before + 3


async def test_what_is_the_teams(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        own = await station.memory.add(NewMemory("Deploys are on Mondays", agent="kyra"))
        assert await station.memory.shares() == []
        shared = await station.memory.share(own.id)
        assert (shared.agent, shared.memory_type) == (None, "shared")
        back = await station.memory.unshare(own.id, agent="luke")
        assert (back.agent, back.memory_type) == ("luke", "semantic")
        assert await station.memory.selves() == []
        assert (await station.memory.adopt(own.id)).memory_type == "identity"


async def test_rows_in_and_out(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        told: list[tuple[int, int, str]] = []
        bad: list[UsageError] = []
        rows = [{"content": f"Fact {n}"} for n in range(30)]
        result = await station.memory.import_rows(
            [*rows, {"content": ""}], progress=lambda *said: told.append(said), total=31,
            refused=bad.append,
        )  # fmt: skip
        assert result.added == 30 and len(bad) == 1 and told[-1] == (30, 31, "saved")
        out = [row async for row in station.memory.export()]
        assert len(out) == 30 and out[0].keys() >= {"id", "content", "created_at"}
        again = await station.memory.import_rows(out)
        assert (again.added, again.skipped) == (0, 30)


async def test_search_and_the_index(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        told: list[tuple[int, int, str]] = []
        await station.memory.keep([stored(n) for n in range(20)])
        await station.memory.add("My sister plays the cello")
        await station.memory.settle(lambda *said: told.append(said))
        assert told and told[-1][0] <= 21
        (found, *_) = await station.memory.search(
            Search(
                "sister cello", kinds=("memory",), limit=3, memory_types=("semantic",), floor=0.01
            )
        )
        assert found.memory and found.memory.content == "My sister plays the cello"
        assert isinstance(found.hit.signals["dense"], float) and found.hit.item.related_to == ()
        assert await station.memory.search(Search("sister", agent="luke")) != []
        status = await station.memory.status()
        assert (status.lag, status.embedder) == (0, "hash-64")
        languages = await station.memory.languages()
        assert {one.id for one in languages} >= {"de", "en", "ja"}
        # nobody knows what an embedder of a test can read, and nothing was said in a conversation
        assert {(one.embedder, one.messages) for one in languages} == {(None, 0)}
        assert await station.memory.rebuild() == 21
        assert (await station.memory.verify()).problems == ()


async def test_what_nobody_vouches_for_is_kept_as_less(open_station: OpenStation) -> None:
    one = stored(1, memory_type="identity", agent="nobody", pinned=True, importance=10)
    async with open_station(model()) as station:
        plan = await station.memory.plan_import([one, stored(2)])
        assert plan.memories == {"identity": 1, "semantic": 1} and plan.unknown_agents == (
            "nobody",
        )
        assert plan.demoted == {"identity": 1, "importance": 1} and not plan.trusted
        assert (await station.figures.counts())["memories"] == 0
        rows = [memory_row(one), memory_row(stored(2))]
        assert await station.memory.plan_rows(rows) == plan
        result = await station.memory.keep([one, stored(2)])
        assert (result.added, result.demoted) == (2, 1)
        kept = await station.memory.get(one.id)
        assert (kept.memory_type, kept.pinned, kept.origins) == ("semantic", False, ("import",))
        assert kept.importance <= 8 and kept.source_type == "import"
        again = await station.memory.keep([one, stored(2)])
        assert (again.added, again.skipped, again.conflicts) == (0, 2, ())


async def test_disputes(open_station: OpenStation, tmp_path: Path) -> None:
    one = stored(1, status="disputed", contradicts=("row-00002",))
    other = stored(2, status="disputed", contradicts=("row-00001",))
    async with open_station(model()) as station:
        await bring(station, [one, other], tmp_path / "both.jsonl")
        (dispute,) = await station.memory.disputes()
        assert dispute.memories == (other, one)
        with pytest.raises(UsageError, match="not disputed"):
            await station.memory.resolve((await station.memory.add("calm")).id)
        decided = await station.memory.resolve("row-00001", reason="so it is")
        assert {memory.status for memory in decided} == {"active", "superseded"}
        assert await station.memory.disputes() == []
        holding = await station.memory.list(MemoryFilter(statuses=("active", "disputed")))
        assert sum((await station.memory.known()).values()) == len(holding)


async def test_updates(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        old = await station.memory.add("My vet is Dr. Lamb")
        new = await station.memory.add("My vet is now Dr. Shaw")
        found = await station.memory.search("Who is my vet?")
        ids = [one.hit.item.id for one in found]
        assert ids.index(new.id) < ids.index(old.id)
        (told,) = await station.memory.updates()
        assert (told.older, told.newer, told.state, told.by) == (old, new, "updated", "code")
        back = await station.memory.resolve(new.id, undo=True)
        assert {one.status for one in back} == {"active"}
        assert await station.memory.updates() == []


async def test_the_past(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        kept = await station.memory.add(NewMemory("One", metadata={"a": 1}))
        between = (await station.memory.log(kept.id))[-1].at
        pinned = await station.memory.pin(kept.id)
        later = (await station.memory.log(kept.id))[-1].at
        assert await station.memory.at(between) == [kept]
        (difference,) = await station.memory.difference(between, later)
        assert difference == MemoryDifference(
            id=kept.id, change="changed", memory=pinned,
            fields={"pinned": (False, True), "tier": ("warm", "hot"),
                    "updated_at": (kept.updated_at, pinned.updated_at)},
        )  # fmt: skip


async def test_a_turn(open_station: OpenStation) -> None:
    async with open_station(model("Hello, my friend.")) as station:
        turn = new_id()
        with station.turns.subscribe() as heard:
            events = await whole(station, "Hi", key=turn)
            assert isinstance(events[0], TurnStarted) and isinstance(events[-1], TurnFinished)
            assert {event.turn for event in events} == {turn}
            assert text_of(events) == events[-1].text == "Hello, my friend."
            seen = [await heard.next()]
            while not isinstance(seen[-1], TurnFinished):
                seen.append(await heard.next())
            assert seen == events
        task = await station.turns.get(turn)
        assert (task.state, task.text) == ("finished", "Hello, my friend.")
        assert await station.turns.list() == [task]
        again = await station.turns.submit(TurnRequest("Hi", key=turn))
        assert (again.session, again.turn, again.agent) == (task.session, turn, "kyra")
        with pytest.raises(Conflict):
            await station.turns.submit(TurnRequest("Something else", key=turn))
        late = await whole(station, "Hi", key=turn)
        assert late[-1] == events[-1] or isinstance(late[-1], TurnFinished)
        assert (await station.figures.counts())["messages"] == 2
        with pytest.raises(NotFound):
            await station.turns.get(new_id())
        (told,) = await station.turns.of_session(task.session)
        assert (told.id, told.state, told.text) == (turn, "finished", task.text)
        for part in (
            {"newest": 1},
            {"beyond": 0},
            {"most": 1},
        ):  # of a turn that is cut, all is told
            assert await station.turns.of_session(task.session, **part) == [told]
        assert await station.turns.of_session(task.session, beyond=1) == []
        with pytest.raises(NotFound):
            await station.turns.of_session(new_id())


async def test_the_prompt_of_a_turn(open_station: OpenStation) -> None:
    async with open_station(model("Tea it is.")) as station:
        request = TurnRequest("What do I drink?")
        shown = await station.turns.preview(request)
        assert (shown.agent, shown.text, shown.error) == ("kyra", "", "")
        assert await station.turns.list() == [] == await station.conversations.list()
        ended = (await whole(station, request.text))[-1]
        (call,) = await station.turns.prompt(ended.turn)
        assert (call.turn, call.session, call.agent) == (ended.turn, ended.session, "kyra")
        assert (call.text, call.finish, call.purpose) == ("Tea it is.", "stop", "reply")
        assert call.messages[0] == shown.messages[0] and call.tools == shown.tools
        assert call.messages[-1].content.endswith("What do I drink?")
        assert call.tokens == call.usage.prompt_tokens > 0
        with pytest.raises(NotFound):
            await station.turns.prompt(new_id())
        with pytest.raises(UsageError, match="empty"):
            await station.turns.preview(" ")


async def test_how_a_reply_is_made_travels_along(open_station: OpenStation) -> None:
    sees = ScriptedModel(['{"n": 1}'], profile=ModelProfile(vision=True))
    gif = Image(data="R0lGODlh")
    async with open_station(sees) as station:
        wishes = {
            "system": "Be brief.",
            "options": {"temperature": 0, "stop": "END", "mirostat": 2},
        }
        events = await whole(
            station, "A number", images=(gif,), response_schema={"type": "object"}, **wishes
        )
        assert isinstance(events[-1], TurnFinished)
        (sent,) = sees.requests
        assert (sent.temperature, sent.response_schema) == (0.0, {"type": "object"})
        assert sent.overrides["stop"] == ["END"]
        assert sent.overrides["extra_body"] == {"mirostat": 2}
        assert sent.messages[-1].images == (Image(data="R0lGODlh", media_type="image/gif"),)
        assert "Instructions for this reply:\nBe brief." in sent.messages[-1].content
        (session,) = await station.conversations.list()
        (said, _) = await station.conversations.messages(session.id)
        assert said.client_context and said.client_context.images == sent.messages[-1].images
        with pytest.raises(UsageError, match="temperature is a number from 0 to 2"):
            await station.turns.submit(TurnRequest("x", options={"temperature": 9}))
        with pytest.raises(UsageError, match="no PNG, JPEG, WebP or GIF"):
            await station.turns.submit(TurnRequest("x", images=(Image(data="AAAA"),)))


async def test_many_at_once(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        with station.turns.subscribe() as heard:
            turns = await asyncio.gather(*(whole(station, f"Question {n}") for n in range(20)))
            assert all(isinstance(turn[-1], TurnFinished) for turn in turns)
            ends = set()
            while len(ends) < 20:
                if isinstance(event := await heard.next(), TurnFinished):
                    ends.add(event.turn)
        assert ends == {turn[-1].turn for turn in turns}
        assert (await station.figures.counts())["messages"] == 40


async def test_refusals_keep_their_words(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        calls = (
            (station.memory.get("nothing"), NotFound, "no memory"),
            (station.memory.get("a/b"), NotFound, ""),
            (station.memory.get(".."), NotFound, ""),
            (station.agents.get("kira"), NotFound, "kira"),
            (station.conversations.find("such / a ? title#"), NotFound, ""),
            (station.conversations.rename("a/b", "x"), NotFound, ""),
            (station.turns.submit(" "), UsageError, "empty"),
            (station.turns.submit(TurnRequest("x", key="no key")), UsageError, "no key"),
            (station.memory.add(NewMemory("x", importance=11)), UsageError, "importance"),
            (station.memory.add("half \ud800"), SkillAgentError, "Unicode"),
            (station.agents.new("neo", {"nme": 1}), ConfigErrors, "nme"),
        )
        for call, kind, said in calls:
            with pytest.raises(SkillAgentError) as caught:
                await call
            assert isinstance(caught.value, kind), caught.value
            assert said in caught.value.message
        with pytest.raises(NotFound) as caught:
            await station.memory.get("nothing")
        assert caught.value.hint == "ska memory list"
        with pytest.raises(TypeError):
            await station.memory.get()  # type: ignore[call-arg]


async def test_leaving_early_cancels(open_station: OpenStation) -> None:
    async with open_station(model("one two three four five six seven")) as station:
        turn = new_id()
        async with aclosing(station.ask("Count", key=turn)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        assert (await station.turns.get(turn)).state in ("failed", "finished")
        assert await station.turns.cancel(turn) is False
        assert await station.turns.tell(turn, "and then?") is False


async def test_approvals_and_rules(open_station: OpenStation) -> None:
    fetch = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    async with open_station(model([fetch], "It failed.", [ModelFailed("broken")])) as station:
        asked: list[ApprovalAsked] = []
        async for event in station.ask("fetch http://10.0.0.1/ please"):
            if isinstance(event, ApprovalAsked):
                asked.append(event)
                assert event.arguments == {"url": "http://127.0.0.1:9/x"}
                (waiting,) = await station.approvals.waiting()
                assert (waiting.id, waiting.rule) == (event.approval, event.rule)
                assert waiting.arguments == event.arguments
                assert waiting.expires - waiting.since == timedelta(seconds=event.timeout_s)
                assert await station.approvals.answer(event.approval, "always", by="a test")
        assert len(asked) == 1
        assert not await station.approvals.answer(asked[0].approval, "deny")
        assert await station.approvals.waiting() == []
        assert await station.approvals.rules() == ["kyra http_get:127.0.0.1"]
        await station.approvals.revoke("kyra http_get:127.0.0.1")
        with pytest.raises(NotFound, match="no stored rule"):
            await station.approvals.revoke("kyra http_get:127.0.0.1")
        end = (await whole(station, "again"))[-1]
        assert isinstance(end, TurnFailed) and end.reason == "model_failed"


async def test_conversations(open_station: OpenStation) -> None:
    async with open_station(model("A", "B", "C", "D")) as station:
        for number in range(3):
            await whole(station, f"Question {number}")
        sessions = await station.conversations.list()
        assert [one.title for one in sessions] == ["Question 2", "Question 1", "Question 0"]
        assert all(isinstance(one, Session) and one.messages == 2 for one in sessions)
        assert await station.conversations.list(limit=2) == sessions[:2]
        at = sessions[0]
        assert await station.conversations.list(before=(at.updated_at, at.id), limit=1) == [
            sessions[1]
        ]
        await whole(station, "@luke More", session="latest")
        talk = await station.conversations.messages(at.id)
        assert [one.content for one in talk] == ["Question 2", "C", "More", "D"]
        assert await station.conversations.messages(at.id, last=2) == talk[2:]
        assert await station.conversations.messages(at.id, after=0, limit=2) == talk[1:3]
        assert talk[1].usage and talk[1].usage.model == "scripted/model"
        (known,) = (await station.conversations.messages_by_id([talk[1].id, "none"])).values()
        assert known == replace(talk[1], context="")
        (hit,) = await station.conversations.search("question 1")
        assert isinstance(hit, Message) and hit.session == sessions[1].id
        found = await station.conversations.matching("QUESTION", limit=2)
        assert all(isinstance(one, FoundSession) for one in found) and found[0].hit == "Question 2"
        last = (found[1].updated_at, found[1].id)
        (third,) = await station.conversations.matching("question", before=last)
        assert {third.id, *(one.id for one in found)} == {one.id for one in sessions}
        assert (await station.conversations.find("Question 1")).id == sessions[1].id
        renamed = await station.conversations.rename("Question 1", "Tea / coffee ? 100 %")
        assert renamed.title == "Tea / coffee ? 100 %"
        assert (await station.conversations.rename(renamed.title, "Tea")).title == "Tea"
        await station.conversations.set_agent(at.id, "luke")
        assert (await station.conversations.find(at.id)).agent == "luke"
        assert await station.summaries.list(at.id) == []
        assert await station.summaries.compact(at.id) is None
        await _marked_and_branched(station, sessions, talk)
        assert (await station.conversations.delete("Tea")).archived
        assert len(await station.conversations.list()) == 3


async def _marked_and_branched(
    station: Workstation, sessions: list[Session], talk: list[Message]
) -> None:
    oldest = sessions[2]
    assert (await station.conversations.pin(oldest.id)).pinned
    assert [one.id for one in await station.conversations.list(pinned=True)] == [oldest.id]
    assert not (await station.conversations.pin(oldest.id, pinned=False)).pinned
    assert await station.conversations.list(pinned=True) == []
    assert (await station.conversations.archive(oldest.id)).archived
    assert oldest.id not in [one.id for one in await station.conversations.list()]
    assert [one.id for one in await station.conversations.list(archived=True)] == [oldest.id]
    assert await station.conversations.matching("question 0") == []
    (away,) = await station.conversations.matching("question 0", archived=True)
    assert away.id == oldest.id and away.archived
    assert not (await station.conversations.archive("Question 0", archived=False)).archived
    branch = await station.conversations.branch(talk[0].session, upto=talk[1].id)
    assert (branch.title, branch.branched_from) == ("Question 2 (branch)", talk[0].session)
    assert [one.content for one in await station.conversations.messages(branch.id)] == [
        "Question 2",
        "C",
    ]
    with pytest.raises(NotFound, match="no message"):
        await station.conversations.branch(branch.id, upto="x")


async def test_who_takes_part(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        session = (await whole(station, "Hello"))[0].session
        (only,) = await station.seats.list("latest")
        assert isinstance(only, Seat) and (only.id, only.role) == ("kyra", "primary")
        invited = await station.seats.invite(session, ["ada", "Luke"])
        assert [seat.id for seat in invited] == ["kyra", "ada", "luke"]
        assert len(await station.seats.leave(session, "luke")) == 3
        done = await station.seats.hand_over(session, "ada", reason="she knows")
        assert isinstance(done, Handoff) and (done.from_agent, done.to_agent) == ("kyra", "ada")
        assert (await station.seats.go_back(session)).to_agent == "kyra"
        moments = await station.seats.history(session)
        assert all(isinstance(one, SeatMoment) for one in moments)
        assert [(one.move, one.agent) for one in moments] == [
            ("invited", "ada"), ("invited", "luke"), ("left", "luke"),
            ("leads", "ada"), ("leads", "kyra"),
        ]  # fmt: skip
        with pytest.raises(UsageError, match="nobody"):
            await station.seats.go_back(session)


async def test_agents(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model()) as station:
        kyra = await station.agents.get("Kyra")
        assert isinstance(kyra, AgentDNA) and (await station.agents.list())[0] == kyra
        new = await station.agents.new("neo", {"name": "Neo", "tagline": "new"})
        assert new == await station.agents.get("neo")
        assert (await station.agents.clone("neo", "trinity", "Trinity")).tagline == "new"
        assert (await station.agents.set_status("neo", "paused")).status == "paused"
        with pytest.raises(UsageError, match="paused"):
            await station.turns.submit(TurnRequest("hi", agent="neo"))
        luke = await station.agents.set_model("luke", "openai/gpt-4o-mini")
        assert (luke.model.model_name, luke.model.force_tier) == ("openai/gpt-4o-mini", None)
        assert luke == await station.agents.get("luke")
        with pytest.raises(UsageError, match="is no model"):
            await station.agents.set_model("luke", "gpt\n")
        (offer,) = await station.models.offers()
        assert (offer.id, offer.problem, offer.model.context_window) == ("scripted/model", "", 8192)
        trust = await station.routing.trust("Luke")
        assert (trust.id, trust.trust, trust.good, trust.bad) == ("luke", 0.5, 0, 0)
        await station.turns.wake()
        await station.turns.wake("luke")
        await station.turns.prepare("kyra")
        await station.turns.wake_team()
        assert "kyra" in await station.turns.awake()
        pages = await station.agents.export(
            ["kyra"], to=str(tmp_path / "pages"), page_format="claude"
        )
        assert [page.agent for page in pages.written] == ["kyra"]
        told: list[tuple[int, int, str]] = []
        trial = await station.models.test(progress=lambda *said: told.append(said))
        assert trial.text == "All right." and trial.id == "scripted/model"


async def test_colleagues_and_their_mail(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        found = await station.mail.find_experts(["code-review"], exclude=["kyra"])
        assert [one.id for one in found] == ["luke"] and found[0].skill_coverage == 1.0
        assert {one.id for one in await station.mail.find_experts()} >= {"kyra", "luke", "ada"}
        free = await station.mail.availability("luke")
        assert free.available and (free.active_tasks, free.reason) == (0, "")
        sent = await station.mail.send("luke", "The tests are green", channel="task:t1")
        assert (sent.sender, sent.to, sent.channel) == ("person", "luke", "task:t1")
        assert [one.id for one in await station.mail.inbox("luke")] == [sent.id]
        with pytest.raises(UsageError, match="is empty"):
            await station.mail.send("luke", " ")
        tried = await station.mail.prove()
        assert (tried.able, tried.right, tried.of) == (False, 3, 9)
        assert len(tried.wrong) == 6


async def test_the_inbox(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        assert await station.inbox.list() == []
        assert await station.inbox.standing() == InboxStanding()
        for call in (
            station.inbox.get("latest"),
            station.inbox.read("nothing"),
            station.inbox.archive("nothing"),
            station.inbox.deliver_again("nothing"),
        ):
            with pytest.raises(NotFound):
                await call


async def test_a_report(open_station: OpenStation) -> None:
    names = ("overview", "criteria", "comparison_table", "recommendation")
    said = json.dumps({name: f"{name} of it" for name in names})
    async with open_station(model(said)) as station:
        wanted = ReportRequest(report_type="comparison", title="Trains or planes", agent="ada")
        made = await station.reports.make(wanted)
        assert (made.agent, tuple(made.sections), made.missing) == ("ada", names, ())
        assert made.text.startswith("# Trains or planes") and made.origins == ("agent",)
        with pytest.raises(UsageError, match="needs a title"):
            await station.reports.make(replace(wanted, title=" "))


async def test_who_answers(open_station: OpenStation) -> None:
    text = "please review my code and find the bug in this function"
    async with open_station(model("Line 1.", "Line 2.")) as station:
        would = await station.routing.decide(TurnRequest(text))
        assert (would.agent, would.reason) == ("luke", "skill_match")
        assert {one.agent for one in would.scores} == {"kyra", "luke", "ada", "max"}
        stays = await station.routing.decide("and the second one?", current="ada")
        assert (stays.agent, stays.reason) == ("ada", "current")
        best, *_ = await station.routing.recommend("somebody who reviews code", limit=2)
        assert best.id == "luke" and len(best.personality_preview) <= 100
        events = await whole(station, text)
        decision = await station.routing.decision(events[0].turn)
        assert decision.routing is not None and decision.routing.agent == "luke"
        assert decision.routing.scores[0].agent == "luke"
        assert (await station.routing.stats(since=SINCE)).by_agent == {"luke": 1}
        with pytest.raises(NotFound):
            await station.routing.decision(new_id())
        with pytest.raises(UsageError):
            await station.routing.recommend(" ")


async def test_several_answer_one_message(open_station: OpenStation, home: Home) -> None:
    async with open_station(model("Line 1.")) as station:
        with pytest.raises(UsageError, match="switched off"):
            await station.strategies.ask(SeveralRequest("review my code"))
    text = home.config.read_text("utf-8")
    home.config.write_text(text.replace("# ensemble = false", "ensemble = true"), "utf-8")
    async with open_station(model("Line 1.")) as station:
        request = SeveralRequest("please review my code", strategy="cascade", key=new_id())
        plan = await station.strategies.plan(request)
        assert (plan.strategy, plan.plan[0].agent_slug) == ("cascade", "luke")
        done = await station.strategies.ask(request)
        assert (done.text, done.agent, done.origins) == ("Line 1.", "luke", ("agent",))
        (response,) = done.responses
        assert (response.agent_name, response.content) == ("Luke", "Line 1.")


async def test_upkeep_and_reading(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        await station.memory.add(NewMemory("Old news", expires_at=SINCE))
        assert len((await station.upkeep.expire(dry_run=True)).expired) == 1
        assert len((await station.upkeep.expire()).expired) == 1
        told: list[tuple[int, int, str]] = []
        report = await station.upkeep.consolidate(
            dry_run=True, summarise=False, progress=lambda *said: told.append(said)
        )
        assert report.dry_run and report.actions == ()
        status = await station.upkeep.status("expire")
        assert status.runs == 1 and isinstance(status.next_run, datetime)
        assert await station.extractions.run() == []
        assert await station.extractions.list() == []
        assert await station.extractions.list(("failed", "waiting"), limit=3) == []
        with pytest.raises(NotFound):
            await station.extractions.retry(new_id())


async def test_ratings(open_station: OpenStation) -> None:
    async with open_station(model("Tea it is.")) as station:
        await whole(station, "What do I drink?")
        result = await station.feedback.rate("latest", "up", "nice")
        assert result.rating == "up" and result.memories == () and not result.repeated
        assert (await station.feedback.rate("latest", "up")).repeated
        assert await station.feedback.of([result.message.id, "none"]) == {result.message.id: "up"}


async def test_erasing(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model()) as station:
        kept = await station.memory.add("The safe opens with 4711")
        page = tmp_path / "rows.jsonl"
        page.write_text('{"content": "The safe opens with 4711"}\n')
        await station.user_data.note_written(str(page), "memories")
        plan = await station.eraser.plan([kept.id])
        assert plan.memories == (kept,) and [file.path for file in plan.files] == [page]
        with pytest.raises(Conflict):
            await station.eraser.erase([kept.id], expected="another plan's")
        report = await station.eraser.erase([kept.id], expected=plan.digest, reason="secret")
        assert report.memories == 1 and report.problems == ()
        with pytest.raises(NotFound):
            await station.memory.get(kept.id)


async def test_everything_of_the_person(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model("Yes.")) as station:
        await whole(station, "Do you know me?")
        await station.memory.add("I am tall")
        told: list[tuple[int, int, str]] = []
        archive = str(tmp_path / "me.zip")
        export = await station.user_data.export(archive, lambda *said: told.append(said))
        assert export.path == Path(archive) and export.counts["memories"] == 1 and told
        plan = await station.user_data.plan_import(archive, trust=True)
        assert (plan.sessions, plan.there, plan.signed) == (1, 2, "own")
        brought = await station.user_data.import_(archive, trust=True)
        assert brought.added["memories"] == 0 and brought.conflicts == ()
        plan = await station.user_data.plan_purge()
        assert len(plan.memories) == 1 and plan.messages == 2
        report = await station.user_data.erase(expected=plan.digest)
        assert report.memories == 1 and report.sessions == 1
        assert (await station.figures.counts())["memories"] == 0


async def test_what_comes_from_other_programs(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model()) as station:
        wanted = PastRequest(
            str(written(tmp_path / "conversations.json", [chatgpt()])), source="chatgpt"
        )
        told: list[tuple[int, int, str]] = []
        plan = await station.imports.plan(wanted, progress=lambda *said: told.append(said))
        assert (plan.conversations, plan.messages) == (1, {"user": 2, "assistant": 1})
        batch = await station.imports.bring(wanted, progress=lambda *said: told.append(said))
        assert batch is not None and batch.messages == 3 and told
        assert await station.imports.bring(wanted) is None
        assert await station.imports.list() == [batch]
        assert (await station.imports.unconfirmed(batch.id)).memories == 0
        assert await station.imports.confirm(batch.id) == 0
        undo = await station.imports.plan_undo(batch.id)
        assert undo.messages == 3
        with pytest.raises(Conflict):
            await station.imports.undo(batch.id, expected="another plan's")
        report = await station.imports.undo(batch.id, expected=undo.digest)
        assert report.messages == 3 and await station.conversations.list() == []
        begun = await station.imports.begin("/rows.jsonl")
        assert await station.imports.begin("/rows.jsonl") == begun
        await station.memory.keep([stored(1)], actor=f"import {begun}")
        assert (await station.imports.end(begun)).memories == 1
        assert (await station.imports.plan_undo(begun)).memories == (stored(1).id,)
        with pytest.raises(UsageError, match="has ended"):
            await station.imports.end(begun)
        with pytest.raises(UsageError, match="there is no"):
            await station.imports.plan(replace(wanted, path=str(tmp_path / "nowhere")))


async def test_programs_to_run_on(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        found = {one.name: one for one in await station.programs.list()}
        assert {"claude", "codex", "gemini", "opencode", "goose"} <= found.keys()
        assert found["goose"].command == ("goose", "acp")
        assert found["goose"].found or "installer" in found["goose"].hint


async def test_backups(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model("Yes.")) as station:
        await whole(station, "Do you know me?")
        told: list[tuple[int, int, str]] = []
        made = await station.backups.create(progress=lambda *said: told.append(said))
        assert told and await station.backups.list() == [made]
        assert (made.home, made.encrypted, made.daily) == (str(tmp_path / "home"), False, False)
        check = await station.backups.verify(made.id, progress=lambda *said: told.append(said))
        assert check.problems == () and check.messages == 2
        other = await station.backups.create_in(str(tmp_path / "disk"), passphrase="so many words")
        assert other.encrypted and other.path.parent == tmp_path / "disk"
        with pytest.raises(UsageError, match="lies in the home"):
            await station.backups.create_in(str(tmp_path / "home" / "backups"))
        with pytest.raises(NotFound):
            await station.backups.verify("backup-1999")
        planned = await station.backups.prune(before=datetime.now(UTC), dry_run=True)
        assert planned.removed == (made,) and await station.backups.list() == [made]
        assert (await station.backups.prune()).kept == (made,)


async def test_collaborations(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        goal = NewCollaboration("Name the garden", pattern="brainstorm", key=new_id())
        plan = await station.collaborations.plan(goal)
        assert (plan.lead, plan.status) == ("kyra", "planning")
        assert [one.stage for one in plan.plan] == ["ideas", "ideas", "choice"]
        assert await station.collaborations.list() == []
        with pytest.raises(UsageError, match="writer and a reviewer"):
            people = (Participant(slug="luke"),)
            await station.collaborations.start(
                replace(goal, key=None, pattern="peer_review", participants=people)
            )
        begun = await station.collaborations.start(goal)
        assert begun.id == goal.key and begun.conversation
        assert (await station.collaborations.start(goal)).id == begun.id
        with station.turns.subscribe(turn=begun.id) as events:
            async for event in events:
                if isinstance(event, CollaborationChanged) and event.status == "completed":
                    break
        done = await station.collaborations.get(begun.id[:13])
        assert done.status == "completed" and done.final_output.startswith("All right.")
        outputs = [one.agent_slug for one in done.stage_outputs]
        assert len({*outputs}) == 3 and outputs[-1] == "kyra"
        assert await station.collaborations.list() == [done]
        assert (await station.collaborations.cancel(done.id)).status == "completed"
        with pytest.raises(UsageError, match="complete"):
            await station.collaborations.resume(done.id)
        with pytest.raises(NotFound):
            await station.collaborations.get("nothing")


async def test_webhooks(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        with pytest.raises(UsageError, match="unencrypted"):
            await station.webhooks.add(NewWebhook(url="http://example.org/hook"))
        new = NewWebhook(url="https://hook.invalid/x?y=1", events=("job.failed",))
        hook = await station.webhooks.add(new)
        assert hook.secret.startswith("whsec_") and hook.events == new.events
        assert await station.webhooks.list() == [replace(hook, secret="")]
        tried = await station.webhooks.test(hook.id)
        assert (tried.webhook, tried.event, tried.state) == (hook.id, "webhook.test", "failed")
        assert await station.webhooks.log(hook.id, limit=5) == [tried]
        assert (await station.webhooks.resume(hook.id)).state == "active"
        assert (await station.webhooks.remove(hook.id)).id == hook.id
        with pytest.raises(NotFound, match="no webhook"):
            await station.webhooks.test(hook.id)


async def test_servers_of_tools(open_station: OpenStation, home: Home) -> None:
    program = str(Path(__file__).parents[1] / "mcp_client" / "hostile_server.py")
    async with open_station(model()) as station:
        assert await station.mcp.list() == []
        with home.config.open("a", encoding="utf-8") as config:
            config.write(f"[mcp.servers.here]\ncommand = {json.dumps(sys.executable)}\n")
            config.write(f'args = [{json.dumps(program)}, "dies"]\n')
        (found,) = await station.mcp.list()
        assert (found.name, found.transport, found.state) == ("here", "stdio", "stopped")
        tried = await station.mcp.test("here")
        assert (tried.state, tried.tools, tried.problem) == ("running", 1, "")
        assert await station.mcp.list() == [tried]
        (tool,) = await station.mcp.tools("here")
        assert (tool.server, tool.name, tool.problem) == ("here", "work", "")
        assert await station.mcp.log("here", lines=5) == []
        with pytest.raises(NotFound, match="no server 'there'"):
            await station.mcp.test("there")


async def test_the_host(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        status = await station.host.status()
        assert status.role == "test" and Path(status.socket).name == "host.sock"
        with pytest.raises(UsageError, match="API key"):
            await station.host.listen("127.0.0.1", 0)
        address = await station.host.listen("127.0.0.1", 0, auth=False)
        assert (await station.host.status()).addresses == (address,)
        await station.host.unlisten(address)
        with pytest.raises(NotFound):
            await station.host.unlisten(address)


async def test_bridges(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        [status] = await station.bridges.status()
        assert (status.id, status.state, status.chats) == ("telegram", "off", 0)
        code = await station.bridges.pair()
        assert len(code.id) == 8
        assert await station.bridges.pairings() == []
        with pytest.raises(NotFound, match="waits to be let in"):
            await station.bridges.approve("4711")
        with pytest.raises(NotFound, match="is let in"):
            await station.bridges.revoke("4711")


async def test_a_subscription_ends_and_filters(open_station: OpenStation) -> None:
    async with open_station(model("A", "B")) as station:
        first = await whole(station, "One")
        with (
            station.turns.subscribe(session=first[0].session) as one,
            station.turns.subscribe() as everything,
        ):
            await whole(station, "Two")
            await whole(station, "Three", session=first[0].session)
            assert (await one.next()).session == first[0].session
            assert (await everything.next()).session != first[0].session
        one.close()
        drained = [event async for event in one]
        assert {event.session for event in drained} <= {first[0].session}
        with station.turns.subscribe(turn=first[0].turn) as replayed:
            assert [await replayed.next() for _ in first] == first


async def test_tasks(open_station: OpenStation) -> None:
    async with open_station(model("Looked at.", "And again.")) as station:
        new = NewTask(
            assigned_to="luke", instructions="Look at it", title="A look", priority="high",
            allowance=Allowance(max_tokens=500, timeout_s=60.0), key=new_id(),
        )  # fmt: skip
        made = await station.tasks.delegate(new)
        assert (made.id, made.assigned_to, made.allowance) == (new.key, "luke", new.allowance)
        while not (task := await station.tasks.get(made.id)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (task.status, task.result, task.detached) == ("completed", "Looked at.", True)
        assert await station.tasks.delegate(new) == task
        with pytest.raises(Conflict):
            await station.tasks.delegate(replace(new, instructions="Something else"))
        assert await station.tasks.list(agent="luke", status="completed") == [task]
        assert await station.tasks.list(before=(task.created_at, task.id)) == []
        assert await station.tasks.list(dead=True) == []
        assert await station.tasks.cancel(task.id, reason="too late") == task
        with pytest.raises(UsageError, match="was done"):
            await station.tasks.retry(task.id[:13])
        with pytest.raises(UsageError, match="has ended"):
            await station.tasks.tell(task.id, "hurry")
        with pytest.raises(NotFound):
            await station.tasks.get("no such task")


async def test_jobs(open_station: OpenStation) -> None:
    async with open_station(model("Nothing new.")) as station:
        shown = await station.jobs.preview("0 9 * * mon", timezone="Europe/Berlin", count=2)
        assert len(shown.next_runs) == len(shown.local) == 2
        new = NewJob(
            "0 9 * * mon", name="news", prompt="What is new?", agent="luke",
            timezone="Europe/Berlin", limits=RunLimits(max_usd=None), key=new_id(),
        )  # fmt: skip
        job = await station.jobs.add(new)
        assert (job.id, job.agent, job.next_run) == (new.key, "luke", shown.next_runs[0])
        assert await station.jobs.add(new) == job
        with pytest.raises(Conflict):
            await station.jobs.add(replace(new, prompt="Something else"))
        assert [one.name for one in await station.jobs.list()] == [
            "consolidate", "backup", "expire", "news",
        ]  # fmt: skip
        changed = await station.jobs.edit(job.id, JobChange(name="the news", catch_up=False))
        assert (changed.name, changed.catch_up, changed.limits) == ("the news", False, new.limits)
        assert (await station.jobs.pause("the news")).status == "paused"
        assert (await station.jobs.resume("the news")).status == "active"
        with pytest.raises(UsageError, match="is active"):
            await station.jobs.approve("the news")
        run = await station.jobs.run(job.id)
        while not (run := await station.jobs.get_run(run.id)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (run.state, run.result, run.by_hand) == ("completed", "Nothing new.", True)
        assert await station.jobs.history("the news") == [run]
        assert await station.jobs.cancel_run(run.id) == run
        assert {one.level for one in await station.jobs.doctor()} == {"ok"}
        assert (await station.jobs.remove(job.id)).status == "ended"
        assert (await station.jobs.get(job.id)).status == "ended"
        assert len(await station.jobs.list()) == 3


async def test_work(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model()) as station:
        await station.memory.add("The gym opens at six")
        new = NewWork(kind="rebuild", title="Anew", priority="high", key=new_id())
        begun = await station.work.start(new)
        assert (begun.id, begun.title, begun.priority) == (new.key, "Anew", "high")
        while not (done := await station.work.get(begun.id[:13])).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (done.state, done.result, done.progress) == ("completed", "1 items indexed", 1.0)
        assert await station.work.start(new) == done
        assert await station.work.list() == [done]
        assert await station.work.list(ended=False, limit=3) == []
        assert await station.work.cancel(done.id) == done
        with pytest.raises(UsageError, match="is not paused"):
            await station.work.resume(done.id)
        with pytest.raises(UsageError, match="has ended"):
            await station.work.pause(done.id)
        with pytest.raises(UsageError, match="was done"):
            await station.work.retry(done.id)
        with pytest.raises(NotFound):
            await station.work.get("nothing")
        export = written(tmp_path / "conversations.json", [chatgpt()])
        payload = {"path": str(export), "source": "chatgpt"}
        with pytest.raises(UsageError, match="files of the machine"):
            await station.work.start(NewWork(kind="import", payload=payload))
        came = await station.work.start_here(NewWork(kind="import", payload=payload))
        while not (done := await station.work.get(came.id)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert done.state == "completed" and done.result.startswith("1 conversations, 3 messages")


async def test_questions(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        words = {one.id: one for one in await station.questions.config()}
        assert {"en", "de", "ja"} <= words.keys() and "weiter" in words["de"].proceed
        assert await station.questions.list() == []
        assert await station.questions.list(waiting=False, limit=5) == []
        with pytest.raises(NotFound):
            await station.questions.get("01a22cae")
        with pytest.raises(NotFound):
            await station.questions.answer("01a22cae", "yes", by="somebody")


async def test_skills_as_tools(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        made = await station.skill_tools.activate("weather", "mcp-zed")
        assert (made.skill, made.agent, made.tool) == ("weather", "mcp-zed", "skill_weather")
        assert await station.skill_tools.activate("weather", "mcp-zed") == made
        assert await station.skill_tools.list() == [made]
        assert await station.skill_tools.list(agent="kyra") == []
        (tool,) = await station.skill_tools.tools("mcp-zed")
        assert (tool.name, tool.parameters["required"]) == ("skill_weather", ["task"])
        used = await station.skill_tools.use("skill_weather", "mcp-zed", {"task": "Rain?"})
        assert (used.success, used.skill_id, used.arguments) == (True, "weather", {"task": "Rain?"})
        assert used.content and "skill://weather/SKILL.md" in used.resources
        with pytest.raises(UsageError, match="required property"):
            await station.skill_tools.use("skill_weather", "mcp-zed", {})
        with pytest.raises(NotFound):
            await station.skill_tools.activate("nothing", "kyra")
        with pytest.raises(NotFound):
            await station.skill_tools.activate("weather", "nobody")
        assert await station.skill_tools.deactivate("weather", "mcp-zed") == made
        with pytest.raises(NotFound):
            await station.skill_tools.deactivate("weather", "mcp-zed")


async def test_a_skill_is_read_and_trusted(open_station: OpenStation, tmp_path: Path) -> None:
    async with open_station(model()) as station:
        folder = tmp_path / "home" / "skills" / "tides"
        folder.mkdir(parents=True)
        written = "---\nname: tides\ndescription: When the sea is high\n---\nLook it up.\n"
        await asyncio.to_thread((folder / "SKILL.md").write_text, written)
        page = await station.skills.page("tides")
        assert (page.id, page.text.strip(), page.skill.trust) == (
            "tides", "Look it up.", "not approved",
        )  # fmt: skip
        with pytest.raises(Conflict, match="has changed"):
            await station.skills.approve("tides", "0" * 64)
        digest = page.skill.digest
        with pytest.raises(UsageError, match="no agent"):
            await station.skills.approve("tides", digest, agent="kyra http_get:* \n* x")
        done = await station.skills.approve("tides", digest, agent="kyra")
        assert (done.trust, done.approved_for) == ("approved", ("kyra",))
        assert await station.approvals.rules() == [f"kyra activate_skill:tides@{digest}"]
        assert (await station.skills.revoke("tides")).trust == "not approved"
        with pytest.raises(NotFound):
            await station.skills.revoke("tides", agent="kyra")
        with pytest.raises(NotFound):
            await station.skills.page("tide")
        await asyncio.to_thread((folder / "SKILL.md").write_text, "no front matter")
        refused = await station.skills.page(str(folder))
        assert not refused.skill.loaded and refused.skill.reason and refused.text == ""


async def test_the_summary_of_a_day(open_station: OpenStation) -> None:
    async with open_station(model("Good.")) as station:
        events = await whole(station, "We decided to keep the old logo.")
        made = await station.daily.make(SummaryRequest(plain=True))
        (point,) = made.points
        assert (point.mark, point.session) == ("decided", events[0].session)
        assert [one.id for one in made.talks] == [events[0].session]


async def test_settings(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        before = {one.id: one for one in await station.config.list()}
        assert before.keys() == setting_values(station.settings).keys()
        agent = before["general.default_agent"]
        assert (agent.value, agent.origin, agent.kind) == ('"kyra"', "default", "choice")
        assert "luke" in agent.choices and "answers" in agent.about
        new = await station.config.set("memory.history_messages", "12", before="40")
        assert (new.value, new.origin, new.waits) == ("12", "file", True)
        text = await asyncio.to_thread(station.home.config.read_text)
        assert "\nhistory_messages = 12\n" in text and "\n# episodic_days = 180\n" in text
        with pytest.raises(Conflict, match="it is 12 now"):
            await station.config.set("memory.history_messages", "13", before="40")
        with pytest.raises(UsageError, match='did you mean "reduced"'):
            await station.config.set("tui.motion", "redused")
        with pytest.raises(UsageError, match='did you mean "luke"'):
            await station.config.set("general.default_agent", "lukee")
        with pytest.raises(NotFound) as caught:
            await station.config.set("tui.bel", "true")
        assert "tui.bell" in caught.value.hint
        back = await station.config.unset("memory.history_messages", before="12")
        assert (back.value, back.origin, back.waits) == ("40", "default", False)
        assert station.settings.memory.history_messages == 40


async def test_the_log_of_the_host(open_station: OpenStation) -> None:
    async with open_station(model()) as station:
        log = station.home.logs / "skill-agent.log"
        secret = "ghp_" + "q7Rw" * 9
        await asyncio.to_thread(log.write_text, f"one\ntwo\nrefused: {secret}\nbegun", "utf-8")
        found = await station.host.log(most=2)
        assert found.lines == ("two", "refused: [redacted: GitHub token]") and not found.missed
        assert (await station.host.log(after=found.after)).lines == ()
        await asyncio.to_thread(log.rename, log.with_name("skill-agent.log.1"))
        await asyncio.to_thread(log.write_text, "new\n", "utf-8")
        after = await station.host.log(after=found.after)
        assert after.lines == ("begun", "new") and not after.missed


def test_nothing_of_the_table_is_left_out() -> None:
    called = {
        ast.unparse(node.func).removeprefix("station.").replace("book.", "memory.")
        for node in ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    left_out = {one.id for one in table()} - called - NOT_DRIVEN.keys()
    assert not left_out
