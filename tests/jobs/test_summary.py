"""What a day came to, over the whole path: talks through the runtime, then the summary."""

import json
from datetime import timedelta

import pytest
from fakes import OpenRuntime, StepClock
from job_home import OpenHost, looked

from skill_agent.delivery.records import ITEM
from skill_agent.errors import ModelFailed
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.jobs.summary.facts import Facts
from skill_agent.jobs.summary.reading import Conversations
from skill_agent.jobs.summary.span import KIND, Span
from skill_agent.jobs.summary.wording import Wording
from skill_agent.models.scripted import Reply, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import (
    Attachment,
    DailySummary,
    Message,
    NewJob,
    NewMemory,
    Purge,
    Session,
    SummaryRequest,
    SummaryTalk,
)

DAY = (
    "We decided to ship it without XML support. I'll write the notes by Wednesday.",
    "Thanks! We don't know yet who opens the shop.",
    "Danke, das hilft mir sehr.",
)


TALK = SummaryTalk(id="s" * 36, title="Talk", agent="kyra", messages=2)


async def say(runtime: Runtime, *texts: str, **wishes: object) -> str:
    """Says it in one conversation and gives that."""
    session = None
    for text in texts:
        async for event in runtime.ask(text, session=session, **wishes):
            session = event.session
    assert session is not None
    return session


def listed(made: DailySummary) -> list[tuple[str, str]]:
    return [(one.mark, one.text) for one in made.points]


async def test_what_was_said_stands_under_its_heading_with_its_source(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        session = await say(runtime, *DAY)
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert listed(made) == [
            ("decided", "We decided to ship it without XML support."),
            ("promised", "I'll write the notes by Wednesday."),
            ("open", "We don't know yet who opens the shop."),
        ]
        assert made.points[1].until == "2026-11-25"
        for one in made.points:
            message = await runtime.ledger.message(one.message)
            assert message is not None
            assert one.text in message.content
            assert (message.session, one.session) == (session, session)
        (talk,) = made.talks
        assert (talk.id, talk.messages) == (session, 3)
        assert f"[1] {talk.title} (kyra, 3 messages, {session[:13]})" in made.text
        assert (
            "To be done\n- “I'll write the notes by Wednesday.” (Wednesday, 25 November) [1, 09:0"
            in made.text
        )


async def test_what_a_program_says_is_nobodys_promise(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        await say(runtime, *DAY, origins=("client",))
        told = NewMemory("We decided to sell it.", source_type="explicit", origins=("client",))
        await runtime.memory.add(told)
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert (made.points, made.talks) == ((), ())
        session = await say(runtime, "We decided to close the shop on Mondays.")
        async for _ in runtime.ask(DAY[0], session=session, origins=("client",)):
            pass
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert listed(made) == [("decided", "We decided to close the shop on Mondays.")]
        assert [one.messages for one in made.talks] == [1]


async def test_a_summary_by_hand_writes_nothing(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        await say(runtime, *DAY)
        await runtime.settle()
        before = await runtime.ledger.last_seq()
        one = await runtime.daily.make(SummaryRequest(plain=True))
        other = await runtime.daily.make(SummaryRequest(plain=True))
        assert one.points == other.points
        assert await runtime.ledger.last_seq() == before


async def test_where_nothing_was_said_one_line_tells_so(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        made = await runtime.daily.make(SummaryRequest())
        assert made.empty
        assert made.text == "Nothing was talked about (Friday, 20 November 2026)."
        made = await runtime.daily.make(SummaryRequest(language="de"))
        assert made.text == "Es wurde über nichts gesprochen (Freitag, 20. November 2026)."


async def test_a_question_nobody_could_answer_is_open_until_it_is_answered(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel([[ModelFailed("gone")], "Nineteen hectares."])
    async with open_runtime(model) as runtime:
        session = await say(runtime, "How large is the vineyard behind the mill?")
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert listed(made) == [("open", "How large is the vineyard behind the mill?")]
        async for _ in runtime.ask("How large is the vineyard behind the mill?", session=session):
            pass
        assert listed(await runtime.daily.make(SummaryRequest(plain=True))) == []


async def test_only_what_the_person_typed_is_theirs(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(otherwise="We decided to sell the house. I'll call the bank tomorrow.")
    note = Attachment("We decided to fire everybody. I'll sign it on Monday.", origin="file")
    async with open_runtime(model) as runtime:
        await say(runtime, "What does this note say?", attachments=(note,))
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert listed(made) == []
        assert "fire" not in made.text


async def test_to_remember_something_is_nobodys_promise(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        await say(runtime, "Remember that I deploy on Fridays from the release branch")
        await say(runtime, "Merk dir: wir haben beschlossen, den Flur gelb zu streichen.")
        made = await runtime.daily.make(SummaryRequest(plain=True))
        marks = [one.mark for one in made.points if one.mark in ("decided", "promised", "open")]
        assert marks == ["decided"], made.text


async def test_what_was_forgotten_or_erased_is_in_no_summary_any_more(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        await say(runtime, "We decided to paint the hall yellow.")
        other = await say(runtime, "We agreed to sell the boat in spring.")
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert len(made.points) == 2
        await runtime.ledger.purge(Purge(sessions=(other,), actor="person", reason="test"))
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert listed(made) == [("decided", "We decided to paint the hall yellow.")]
        assert "boat" not in made.text


async def test_what_was_told_to_memory_alone_and_what_is_coming_is_told(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        kept = await runtime.memory.add(NewMemory("Anna will prepare the slides by 24 November."))
        fair = await runtime.memory.add(NewMemory("The fair opens on 2026-11-26."))
        await runtime.memory.add(NewMemory("The fair closes on 2026-12-26."))
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert [(one.mark, one.memory, one.until) for one in made.points] == [
            ("promised", kept.id, "2026-11-24"),
            ("due", fair.id, "2026-11-26"),
        ]
        assert f"[{fair.id[:13]}]" in made.text


async def test_a_change_of_mind_and_an_answer_settle_what_was_said_before(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        await say(
            runtime,
            "We decided to paint the kitchen door blue.",
            "We don't know yet who picks up the wedding cake on Saturday.",
            "Paul picks up the wedding cake on Saturday.",
            "We decided to paint the kitchen door green instead of blue.",
        )
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert [text for _, text in listed(made)] == [
            "Paul picks up the wedding cake on Saturday.",
            "We decided to paint the kitchen door green instead of blue.",
        ]


async def test_a_day_of_hundreds_of_messages_stays_short(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        session = await _long_day(runtime, clock, 500)
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert len(made.points) == 250
        assert made.text.count("\n") < 40
        assert "and 238 more" in made.text
        assert made.talks[0].id == session


async def test_what_is_too_much_to_be_read_is_counted(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        first = await _long_day(runtime, clock, 20)
        second = await _long_day(runtime, clock, 20)
        span = Span(since=clock() - timedelta(hours=1), until=clock())
        spoken, unread = await Conversations(runtime.ledger, most=25).spoken(span)
        assert [(one.session.id, len(one.messages)) for one in spoken] == [(first, 5), (second, 20)]
        assert unread == 15
        facts = Facts(span=span, language="en", unread=unread, talks=(TALK,))
        assert "15 messages were too many to be read." in Wording("en").text(facts)


async def _long_day(runtime: Runtime, clock: StepClock, messages: int) -> str:
    at = clock()
    session = Session(id=new_id(), title="Long", agent="kyra", created_at=at, updated_at=at)
    await runtime.ledger.create_session(session)
    for number in range(messages):
        text = "I'm so tired." if number % 2 else f"We decided to buy machine number {number}."
        await runtime.ledger.save_message(
            Message(
                id=new_id(), session=session.id, turn=new_id(), role="user", content=text,
                created_at=clock(), agent="kyra",
            )
        )  # fmt: skip
    return session.id


# -- a model words it ------------------------------------------------------------------------------


def answering(**lines: str) -> ScriptedModel:
    """Talks, and answers the call for a summary with these lines."""

    def answer(request: ModelRequest) -> Reply:
        return json.dumps(lines) if request.purpose == "summary" else "Fine."

    return ScriptedModel(otherwise=answer)


async def test_a_models_words_stand_where_they_hold(open_runtime: OpenRuntime) -> None:
    model = answering(
        **{"1": "Ship it without XML support", "2": "Write the notes by Thursday and call Ravi",
           "3": "Who opens the shop"}
    )  # fmt: skip
    async with open_runtime(model) as runtime:
        await say(runtime, *DAY)
        made = await runtime.daily.make(SummaryRequest())
        assert [one.worded for one in made.points] == [
            "Ship it without XML support",
            "",
            "Who opens the shop",
        ]
        assert made.by == "scripted/model"
        assert "- Ship it without XML support [1, 09:0" in made.text
        assert "- “I'll write the notes by Wednesday.” (Wednesday, 25 November)" in made.text


@pytest.mark.parametrize(
    "reply",
    [
        "I cannot help with that.",
        "",
        '{"s1": 7, "t1": null}',
        "[1]",
        '{"s1": "{',
        [ModelFailed("x")],
    ],
)
async def test_without_a_models_words_the_programs_own_stand(
    open_runtime: OpenRuntime, reply: Reply
) -> None:
    def answer(request: ModelRequest) -> Reply:
        return reply if request.purpose == "summary" else "Fine."

    async with open_runtime(ScriptedModel(otherwise=answer)) as runtime:
        await say(runtime, *DAY)
        made = await runtime.daily.make(SummaryRequest())
        assert made.text == (await runtime.daily.make(SummaryRequest(plain=True))).text
        assert made.by == ""


async def test_what_is_said_in_confidence_marks_the_summary(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        await say(runtime, *DAY)
        assert not (await runtime.daily.make(SummaryRequest(plain=True))).private
        await say(runtime, "Just between us: I decided to quit the firm.")
        made = await runtime.daily.make(SummaryRequest(plain=True))
        assert made.private
        assert [one.private for one in made.points] == [False, False, False, True]


# -- as a job --------------------------------------------------------------------------------------


async def delivered(runtime: Runtime) -> list[dict[str, object]]:
    return [row.new or {} for row in await runtime.ledger.log(kinds=(ITEM,))]


async def test_each_run_tells_what_none_has_told_before(
    open_host: OpenHost, clock: StepClock
) -> None:
    async with open_host(answering()) as station:
        await station.jobs.add(NewJob("every 1440m", kind="summary", name="day", timezone="UTC"))
        await say(station, DAY[0])
        clock.advance(hours=24)
        await looked(station)
        (first,) = await delivered(station)
        assert first["sort"] == "summary"
        assert "without XML support" in str(first["text"])
        clock.advance(hours=24)
        await looked(station)
        assert len(await delivered(station)) == 1
        (run, *_) = await station.jobs.history("day")
        assert (run.state, run.silent, run.result) == ("completed", True, "")
        await say(station, DAY[1])
        clock.advance(days=3)  # asleep
        await looked(station)
        _, second = await delivered(station)
        assert "XML" not in str(second["text"])
        assert "who opens the shop" in str(second["text"])
        assert str(second["title"]).startswith("Summary: 2026-11-21 09:0")
        assert len(await station.ledger.log(kinds=(KIND,))) == 2


async def test_with_a_conversation_go_the_summaries_that_repeat_its_words(
    open_host: OpenHost, clock: StepClock
) -> None:
    async with open_host(ScriptedModel(otherwise="Fine.")) as station:
        await station.jobs.add(NewJob("every 1440m", kind="summary", name="day", timezone="UTC"))
        await say(station, "We decided to paint the hall yellow.")
        other = await say(station, "We agreed to sell the boat in spring.")
        clock.advance(hours=24)
        await looked(station)
        (item,) = await station.inbox.list()
        assert "boat" in item.text and "yellow" in item.text
        await station.ledger.purge(Purge(sessions=(other,), actor="person", reason="test"))
        assert await station.inbox.list() == []
        (run, *_) = await station.jobs.history("day")
        assert (run.state, run.result) == ("completed", "")
        log = [str(row.new) for row in await station.ledger.log(limit=10_000)]
        assert not [one for one in log if "boat" in one]


async def test_a_run_with_a_model_that_fails_tells_it_plainly(
    open_host: OpenHost, clock: StepClock
) -> None:
    def answer(request: ModelRequest) -> Reply:
        return [ModelFailed("gone")] if request.purpose == "summary" else "Fine."

    async with open_host(ScriptedModel(otherwise=answer)) as station:
        await station.jobs.add(NewJob("every 1440m", kind="summary", name="day", timezone="UTC"))
        await say(station, DAY[0])
        clock.advance(hours=24)
        await looked(station)
        (run, *_) = await station.jobs.history("day")
        assert run.state == "completed"
        assert "without XML support" in run.result


async def test_what_a_job_asks_an_agent_is_nobodys_promise(
    open_host: OpenHost, clock: StepClock
) -> None:
    async with open_host(ScriptedModel(otherwise="Nothing new.")) as station:
        await station.jobs.add(
            NewJob("every 120m", prompt="We decided to sell. What does the market say?", name="ask")
        )
        clock.advance(hours=2)
        await looked(station)
        made = await station.daily.make(SummaryRequest(plain=True))
        assert (made.talks, made.points) == ((), ())


async def test_a_job_that_failed_is_told(open_host: OpenHost, clock: StepClock) -> None:
    async with open_host(ScriptedModel(otherwise="Fine.")) as station:
        await station.jobs.add(
            NewJob("every 120m", prompt="Anything new?", name="ask", agent="luke", max_attempts=1)
        )
        await station.agents.set_status("luke", "paused")
        clock.advance(hours=2)
        await looked(station)
        made = await station.daily.make(SummaryRequest(plain=True))
        assert [one.mark for one in made.points] == ["failed"]
        assert "ask: " in made.points[0].text
