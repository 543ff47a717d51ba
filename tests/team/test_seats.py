"""Several agents in one conversation: invited, joined, gone, and who answers among them."""

import pytest
from fakes import OpenRuntime
from team_talk import Chooses, begun, lead, none_of, one, said

from skill_agent.errors import NotFound, UsageError
from skill_agent.events import HandedOff, SeatChanged, TurnStarted
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import ExpertScore, Seat


def score(agent: str, overall: float, *, able: bool = True) -> ExpertScore:
    return ExpertScore(
        agent=agent,
        overall=overall,
        skill_match=overall,
        past_performance=0.5,
        personality_fit=0.5,
        load_balance=1.0,
        able=able,
    )


def here(seats: list[Seat]) -> list[str]:
    return [seat.id for seat in seats if seat.left_at is None]


async def shared(runtime: Runtime) -> str:
    session = await begun(runtime)
    await runtime.seats.invite(session, ["ada", "Luke"])
    return session


async def test_a_conversation_of_which_nothing_was_noted_has_its_agent_alone(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        (seat,) = await runtime.seats.list(session)
        begun_at = (await runtime.conversations.find(session)).created_at
        assert seat == Seat(id="kyra", role="primary", joined_at=begun_at)
        assert await runtime.seats.history(session) == []


async def test_agents_are_invited_and_leave(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        with runtime.turns.subscribe(session=session) as events:
            assert here(await runtime.seats.invite(session, ["ada", "luke", "ada"])) == [
                "kyra", "ada", "luke",
            ]  # fmt: skip
            assert here(await runtime.seats.invite(session, ["ada"])) == ["kyra", "ada", "luke"]
            assert here(await runtime.seats.leave(session, "@ada")) == ["kyra", "luke"]
            told = [await events.next() for _ in range(3)]
        assert [event.line for event in told] == [
            "ada was invited", "luke was invited", "ada left",
        ]  # fmt: skip
        assert here(await runtime.seats.invite(session, ["ada"])) == ["kyra", "luke", "ada"]


async def test_where_the_first_one_leaves_the_next_one_leads(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await shared(runtime)
        await runtime.seats.leave(session, "kyra")
        seats = await runtime.seats.list(session)
        assert [(seat.id, seat.role) for seat in seats] == [
            ("kyra", "primary"), ("ada", "primary"), ("luke", "invited"),
        ]  # fmt: skip
        assert await lead(runtime, session) == "ada"
        await runtime.seats.leave(session, "luke")
        with pytest.raises(UsageError, match="Ada is the only one here"):
            await runtime.seats.leave(session, "ada")


async def test_what_cannot_be_is_said(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        with pytest.raises(NotFound):
            await runtime.seats.invite(session, ["ada", "nobody"])
        with pytest.raises(UsageError, match="who is to join"):
            await runtime.seats.invite(session, [])
        with pytest.raises(UsageError, match="does not take part"):
            await runtime.seats.leave(session, "luke")
        assert here(await runtime.seats.list(session)) == ["kyra"]


@pytest.mark.parametrize(
    ("words", "change", "answers", "after"),
    [
        ("Please invite Max.", ["invited max"], "max", ["kyra", "ada", "luke", "max"]),
        ("Max, join us!", ["joined max"], "max", ["kyra", "ada", "luke", "max"]),
        ("Thanks, Luke can leave.", ["left luke"], "kyra", ["kyra", "ada"]),
        ("Lade bitte Max ein", ["invited max"], "max", ["kyra", "ada", "luke", "max"]),
        ("Kyra can leave", ["left kyra"], "ada", ["ada", "luke"]),
        ("Invite Luke", [], "kyra", ["kyra", "ada", "luke"]),
        ("Max can leave", [], "kyra", ["kyra", "ada", "luke"]),
    ],
)
async def test_words_do_the_same(
    open_runtime: OpenRuntime, words: str, change: list[str], answers: str, after: list[str]
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await shared(runtime)
        events = await said(runtime, words, session=session)
        told = [one for one in events if isinstance(one, SeatChanged)]
        assert [f"{event.change} {event.agent}" for event in told] == change
        assert one(events, TurnStarted).agent == answers
        assert here(await runtime.seats.list(session)) == after


async def test_what_is_pasted_or_asked_by_a_task_invites_nobody(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        pasted = "look at this\n\n```\nInvite Ada\n```"
        invite, others = "Invite Ada", [{"parent": "another-turn"}, {"origins": ("agent",)}]
        for wishes in ({"text": pasted}, *({"text": invite, **one} for one in others)):
            events = await said(runtime, session=session, **wishes)
            assert none_of(events, SeatChanged)


async def test_each_hears_what_the_others_said_and_speaks_as_itself(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(["Kyra speaking.", "Ada speaking.", "Luke speaking."])
    async with open_runtime(model) as runtime:
        session = await begun(runtime)
        await runtime.seats.invite(session, ["ada", "luke"])
        await said(runtime, "@ada and you?", session=session)
        await said(runtime, "@luke and you?", session=session)
        talk = await runtime.conversations.messages(session)
    assert [m.agent for m in talk if m.role == "assistant"] == ["kyra", "ada", "luke"]
    sent = model.requests[-1].messages
    assert sent[0].content.startswith("You are Luke")
    named = [m.content.partition(",")[0] for m in sent if "another agent, answered" in m.content]
    assert named == ["[Kyra", "[Ada"]
    assert "assistant" not in {message.role for message in sent}


async def test_among_several_the_best_that_is_able_answers(open_runtime: OpenRuntime) -> None:
    scores = (score("max", 0.9), score("luke", 0.8, able=False), score("ada", 0.7))
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await shared(runtime)
        Chooses(agent="max", scores=scores).put_into(runtime)
        events = await said(runtime, "how many?", session=session)
        assert one(events, TurnStarted).agent == "ada" and none_of(events, HandedOff)
        Chooses(agent="max").put_into(runtime)
        assert one(await said(runtime, "so?", session=session), TurnStarted).agent == "kyra"
        Chooses(agent="luke").put_into(runtime)
        assert one(await said(runtime, "so?", session=session), TurnStarted).agent == "luke"
        assert await lead(runtime, session) == "kyra"
        alone = await begun(runtime)
        Chooses(agent="max", scores=scores).put_into(runtime)
        assert one(await said(runtime, "so?", session=alone), TurnStarted).agent == "max"


async def test_a_person_who_chooses_another_by_hand_replaces_the_first(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        session = await begun(runtime)
        await runtime.seats.hand_over(session, "luke")
        await runtime.conversations.set_agent(session, "ada")
        seats = await runtime.seats.list(session)
        assert here(seats) == ["ada"] and seats[-1].role == "primary"
        with pytest.raises(UsageError, match="nobody it goes back to"):
            await runtime.seats.go_back(session)
        both = await shared(runtime)
        await runtime.conversations.set_agent(both, "luke")
        roles = {seat.id: seat.role for seat in await runtime.seats.list(both)}
        assert roles == {"kyra": "invited", "ada": "invited", "luke": "primary"}
