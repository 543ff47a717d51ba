"""What of seats stays: after a crash, an erasure, with the feature switched off."""

import json

import pytest
from fakes import HashEmbedder, OpenRuntime, StepClock
from in_process import open_in_process
from team_talk import Chooses, begun, lead, none_of, one, said

from skill_agent.errors import UsageError
from skill_agent.events import HandedOff, SeatChanged, TurnFinished, TurnStarted
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.team.seats.seating import HANDOFF, SEAT, seating_of
from skill_agent.values import MemoryFilter, Purge, Session

REASON = "the hens of Frieda lay blue eggs"


async def half_done(runtime: Runtime, session: Session, *, kept: bool) -> None:
    """What a process that died amid a handover has left in the ledger."""
    ids = new_id()
    texts = {"session": session.id, "from": "kyra", "to": "luke", "reason": REASON,
             "context_summary": "hens"}  # fmt: skip
    await runtime.ledger.note(HANDOFF, ids, actor="person", data=texts)
    if kept:
        seat = {"session": session.id, "id": ids, "move": "leads", "agent": "luke",
                "from": "kyra", "lead": "kyra", "turn": "", "after": 1, "next": "luke",
                "kept": True}  # fmt: skip
        await runtime.ledger.note(SEAT, session.id, actor="person", data=seat)


async def remembered(runtime: Runtime) -> list[str]:
    wanted = MemoryFilter(memory_types=("episodic",))
    return [memory.content for memory in await runtime.memory.list(wanted)]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_handover_cut_short_is_finished_or_never_was(
    open_runtime: OpenRuntime, kept: bool
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        name = await begun(runtime)
        session = await runtime.conversations.find(name)
        await half_done(runtime, session, kept=kept)
        agent = "luke" if kept else "kyra"
        assert (await seating_of(runtime.ledger, session)).lead == agent
    for _ in range(2):
        async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
            assert await lead(runtime, name) == agent
            assert len(await runtime.seats.history(name)) == kept
            told = [f"Kyra handed over to Luke because: {REASON}"] if kept else []
            assert await remembered(runtime) == told
            assert one(await said(runtime, "hi", session=name), TurnStarted).agent == agent


async def test_what_is_erased_of_a_handover_is_no_longer_told_and_it_still_goes_back(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        kept = await runtime.memory.add("the hens of Frieda lay blue eggs")
        await runtime.seats.hand_over(session, "luke", reason=REASON)
        plan = await runtime.eraser.plan([kept.id])
        await runtime.eraser.erase([kept.id], expected=plan.digest)
        whole = [entry.new for entry in await runtime.ledger.log(limit=10_000)]
        assert "blue eggs" not in json.dumps(whole, default=str)
        (moment,) = await runtime.seats.history(session)
        assert (moment.agent, moment.reason) == ("luke", "")
        assert await remembered(runtime) == []
        assert (await runtime.ledger.verify()).problems == ()
        model_says = await said(runtime, "hello", session=session)
        assert one(model_says, TurnFinished).agent == "luke"
        assert (await runtime.seats.go_back(session)).to_agent == "kyra"


async def test_what_a_summary_was_made_of_takes_it_along(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime, "Remember that my bicycle is violet")
        await runtime.seats.hand_over(session, "luke")
        (kept,) = await runtime.memory.list(MemoryFilter(pinned=True))
        plan = await runtime.eraser.plan([kept.id])
        await runtime.eraser.erase([kept.id], expected=plan.digest)
        rows = await runtime.ledger.log(session, kinds=(HANDOFF,))
        assert [row.new for row in rows] == [None]


async def test_a_conversation_that_is_erased_takes_its_seats_along(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        await runtime.seats.invite(session, ["ada"])
        await runtime.seats.hand_over(session, "luke", reason=REASON)
        await runtime.ledger.purge(Purge(sessions=(session,), actor="person", reason="test"))
        rows = await runtime.ledger.log(kinds=(HANDOFF, SEAT), limit=100)
        assert len(rows) == 3, rows
        assert all(row.new is None for row in rows)
        other = await begun(runtime)
        assert [seat.id for seat in await runtime.seats.list(other)] == ["kyra"]
        assert (await runtime.ledger.verify()).problems == ()


async def test_switched_off_it_is_as_if_it_were_not_there(home: Home, clock: StepClock) -> None:
    model = ScriptedModel(["Nice names.", "I am Luke.", "ok", "ok", "ok"])
    async with open_in_process(
        home.root, create=True, gateway=ScriptedGateway(model), embedder=HashEmbedder(),
        clock=clock,
    ):  # fmt: skip
        pass
    text = home.config.read_text()
    home.config.write_text(text.replace("[features]", "[features]\nhandoff = false"))
    async with open_in_process(
        home.root, gateway=ScriptedGateway(model), embedder=HashEmbedder(), clock=clock
    ) as runtime:
        session = await begun(runtime)
        await said(runtime, "@luke who are you?", session=session)
        sent = model.requests[-1].messages
        assert [message.role for message in sent] == ["system", "user", "assistant", "user"]
        assert sent[2].content == "Nice names."
        reply = (await runtime.conversations.messages(session))[-1]
        assert reply.origins == ()
        Chooses(agent="luke", escalated_from="kyra").put_into(runtime)
        for words in ("Hand this over to Luke", "Invite Ada"):
            events = await said(runtime, words, session=session)
            assert none_of(events, HandedOff) and none_of(events, SeatChanged)
        assert await lead(runtime, session) == "kyra"
        for refused in (
            runtime.seats.hand_over(session, "luke"),
            runtime.seats.go_back(session),
            runtime.seats.invite(session, ["luke"]),
            runtime.seats.leave(session, "kyra"),
        ):
            with pytest.raises(UsageError, match="switched off"):
                await refused
        assert [seat.id for seat in await runtime.seats.list(session)] == ["kyra"]
