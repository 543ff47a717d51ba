"""What a small model's turn is like, through the whole runtime: what code says for it, what it is
shown, and what of its reply is let through."""

from dataclasses import replace

import pytest
from fakes import OpenRuntime

from skill_agent.errors import UsageError
from skill_agent.events import Event, MemorySaved, TextDelta, ToolStarted, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.memory.extraction.model import SMALLEST_BYTES
from skill_agent.models.scripted import ScriptedModel
from skill_agent.text.language import english, language
from skill_agent.values import ModelProfile, NewMemory, ToolCall, TurnRequest

SMALL = ModelProfile(strength="small", tools=False, languages=("en",))
OPENS = ModelProfile(strength="small", tools=False, languages=("en",), continues=True)


def small(*replies: str, profile: ModelProfile = SMALL) -> ScriptedModel:
    return ScriptedModel(replies, profile=profile)


async def said(runtime: Runtime, text: str, session: str | None = None) -> tuple[str, list[Event]]:
    """The reply as it was shown, which is what is kept."""
    events = [event async for event in runtime.ask(text, session=session)]
    end = events[-1]
    assert isinstance(end, TurnFinished)
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown == end.text
    return end.text, events


@pytest.mark.parametrize(
    ("code", "text", "kept"),
    [
        ("en", "Remember that my locker code is 4417.", "My locker code is 4417"),
        ("de", "Merk dir bitte: Mein Spind hat den Code 4417.", "Mein Spind hat den Code 4417"),
        ("es", "Recuerda que el código de mi taquilla es 4417.", "código de mi taquilla es 4417"),
        ("fr", "Retiens que le code de mon casier est 4417.", "Le code de mon casier est 4417"),
        ("ru", "Запомни: код моего шкафчика 4417.", "Код моего шкафчика 4417"),
        ("ja", "私のロッカーの番号は4417だと覚えておいて。", "ロッカーの番号は4417"),
        ("zh", "请记住，我的储物柜密码是4417。", "我的储物柜密码是4417"),
    ],
)
async def test_what_was_kept_is_confirmed_in_the_persons_language_without_the_model(
    open_runtime: OpenRuntime, code: str, text: str, kept: str
) -> None:
    model, tongue = small(), language(code)
    assert tongue is not None
    async with open_runtime(model) as runtime:
        reply, events = await said(runtime, text)
    (saved,) = (event for event in events if isinstance(event, MemorySaved))
    assert kept in saved.content
    assert reply == tongue.kept.format(undo=f"ska memory forget {saved.memory_id[:13]}")
    assert model.requests == []


async def test_a_request_with_a_question_goes_to_the_model(open_runtime: OpenRuntime) -> None:
    model = small("Sure, four letters.")
    async with open_runtime(model) as runtime:
        await said(runtime, "Remember that my cat is Miso. What rhymes with it?")
    assert len(model.requests) == 1


async def test_an_echo_is_tried_again_and_then_said_by_code(open_runtime: OpenRuntime) -> None:
    told = "My neighbour Piet keeps bees on the roof of our house."
    model = small(told, "Bees in town! How much honey is there?")
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, told)
    assert reply == "Bees in town! How much honey is there?"
    model = small(told, f"So, {told}")
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, told)
    assert reply == english().noted


@pytest.mark.deep
async def test_a_later_echo_ends_the_reply(open_runtime: OpenRuntime) -> None:
    told = "My neighbour Piet keeps bees on the roof of our house."
    model = small(f"How lovely! Your neighbour {told[13:]}")
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, told)
    assert reply.strip() == "How lovely!"


@pytest.mark.deep
async def test_where_a_model_is_not_fluent_it_is_given_a_first_sentence(
    open_runtime: OpenRuntime,
) -> None:
    told = "Mein Nachbar Piet hält Bienen auf dem Dach unseres Hauses."
    model = small("Wie viel Honig gibt es?", profile=OPENS)
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, told)
    german = language("de")
    assert german is not None
    opening = model.requests[0].opening
    assert opening in german.openings
    assert reply == f"{opening} Wie viel Honig gibt es?"
    assert model.requests[0].messages[-1].content.startswith("(Antworte auf Deutsch.)")


async def test_the_persons_sentence_is_put_into_the_right_person(open_runtime: OpenRuntime) -> None:
    model = small("My train leaves on platform 9 at 7:40.")
    async with open_runtime(model) as runtime:
        await runtime.memory.add(NewMemory("My train leaves on platform 9 at 7:40", speaker="user"))
        reply, _ = await said(runtime, "When does my train leave?")
    assert reply == "Your train leaves on platform 9 at 7:40."


async def test_a_made_up_value_is_tried_again_and_then_the_person_is_quoted(
    open_runtime: OpenRuntime,
) -> None:
    model = small("Your train leaves at 8:15.", "At 9:30, from platform 3.")
    async with open_runtime(model) as runtime:
        await runtime.memory.add(NewMemory("My train leaves from platform 9", speaker="user"))
        reply, _ = await said(runtime, "When does my train leave?")
    assert "My train leaves from platform 9" in reply
    assert reply.startswith("I am not sure")


async def test_what_was_never_told_is_said_so_without_the_model(open_runtime: OpenRuntime) -> None:
    model = small()
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, "What is my sister's phone number?")
    assert reply == english().unknown
    assert model.requests == []


@pytest.mark.deep
@pytest.mark.parametrize(
    ("word", "reply", "shown"),
    [
        ("no", "Quite early, I would say.", english().unknown),  # about the train, and made up
        ("no", "From platform nine.", "From platform nine."),  # from what was told
        ("yes", "Quite early, I would say.", "Quite early, I would say."),
    ],
)
async def test_where_what_was_told_is_no_answer_the_reply_must_show_where_it_is_from(
    open_runtime: OpenRuntime, word: str, reply: str, shown: str
) -> None:
    model = small(word, reply, reply)
    model.info = replace(model.info, provider="embedded", size_bytes=2 * SMALLEST_BYTES)
    async with open_runtime(model) as runtime:
        await runtime.memory.add(NewMemory("My train leaves from platform nine", speaker="user"))
        await runtime.memory.settle()
        told, _ = await said(runtime, "When does my train leave?")
    assert told == shown
    assert "My train leaves from platform nine" in model.requests[0].messages[-1].content


@pytest.mark.deep
async def test_what_this_conversation_holds_is_not_called_unknown(
    open_runtime: OpenRuntime,
) -> None:
    model = small("Nice! Does she play?", "Your sister is called Pilar.")
    async with open_runtime(model) as runtime:
        _, events = await said(runtime, "My sister Pilar has bought a violin.")
        reply, _ = await said(runtime, "What is my sister called?", events[0].session)
    assert reply == "Your sister is called Pilar."


async def test_a_large_model_answers_everything_itself(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel(["Noted!", "I do not know it."])
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, "Remember that my locker code is 4417.")
        assert reply == "Noted!"
        reply, _ = await said(runtime, "What is my sister's phone number?")
        assert reply == "I do not know it."
    assert "[SAVED NOW]" in model.requests[0].messages[-1].content


async def test_a_small_models_prompt_is_short_and_the_same_after_learning(
    open_runtime: OpenRuntime,
) -> None:
    model = small("Hello!", "Hello Nora!", "Good.")
    async with open_runtime(model) as runtime:
        await said(runtime, "Hello there")
        await runtime.memory.add(NewMemory("The user is called Nora", memory_type="user_profile"))
        await said(runtime, "Hello again")
    first, second = (request.messages for request in model.requests[:2])
    assert first[0] == second[0]
    assert len(first[0].content) < 1000
    assert "Nora" in second[-1].content
    assert not model.requests[0].tools


SALES = "Which region sold most?\n\nregion,eur\nNorth,120\nSouth,90\nNorth,30"


async def test_a_table_is_computed_by_code_and_worded_by_the_model(
    open_runtime: OpenRuntime,
) -> None:
    query = "SELECT region, SUM(eur) AS total FROM data GROUP BY region ORDER BY total DESC LIMIT 1"
    model = small(query, "North sold most, 150.")
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, SALES)
    assert reply == "North sold most, 150."
    read = model.requests[1].messages[-1].content
    assert "150" in read and "Which region" in read
    assert "South,90" not in read


async def test_figures_that_were_not_computed_are_not_told(open_runtime: OpenRuntime) -> None:
    query = "SELECT SUM(eur) AS total FROM data"
    model = small(query, "It was 250 in all.", "The sum is 210.")
    async with open_runtime(model) as runtime:
        reply, _ = await said(runtime, SALES.replace("Which region sold most?", "How much in all?"))
    assert "250" not in reply and "210" not in reply
    assert "240" in reply


@pytest.mark.deep
async def test_a_skill_that_is_surely_wanted_is_opened_at_once(open_runtime: OpenRuntime) -> None:
    model = small("It will rain.")
    async with open_runtime(model) as runtime:
        _, events = await said(runtime, "What will the weather be like in Porto tomorrow?")
    started = [(e.tool, e.arguments) for e in events if isinstance(e, ToolStarted)]
    assert started == [("activate_skill", {"name": "weather"})]
    assert {tool.name for tool in model.requests[0].tools} >= {"http_get", "read_skill_file"}


async def test_a_diff_goes_to_the_reviewer_without_any_tool(open_runtime: OpenRuntime) -> None:
    model = small("Line 2: the query is put together from strings.")
    diff = "diff --git a/clock.py b/clock.py\n@@ -1 +1,2 @@\n-weather = 1\n+time = now('Tokyo')"
    async with open_runtime(model) as runtime:
        await said(runtime, f"@luke Anything wrong here?\n\n{diff}")
    assert not model.requests[0].tools
    assert "three worst faults" in model.requests[0].messages[0].content
    newest = model.requests[0].messages[-1].content
    assert newest == "Anything wrong here?\n\n```\ntime = now('Tokyo')\n```"


async def test_a_small_model_does_not_go_on_trying_where_a_tool_fails(
    open_runtime: OpenRuntime,
) -> None:
    call = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})
    model = ScriptedModel([[call], "I could not look it up."], profile=SMALL)
    asked = TurnRequest("What will the weather be like in Porto tomorrow?", interactive=False)
    async with open_runtime(model) as runtime:
        events = [event async for event in runtime.turns.ask(asked)]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].text == "I could not look it up."
    assert model.requests[1].overrides["tool_choice"] == "none"


@pytest.mark.deep
async def test_both_tries_of_a_reply_count(open_runtime: OpenRuntime) -> None:
    told = "My neighbour Piet keeps bees on the roof of our house."
    model = small(told, "Bees in town!")
    async with open_runtime(model) as runtime:
        _, events = await said(runtime, told)
        calls = await runtime.turns.prompt(events[-1].turn or "")
    assert [call.purpose for call in calls] == ["reply", "retry"]
    end = events[-1]
    assert isinstance(end, TurnFinished)
    assert end.usage.prompt_tokens == sum(call.usage.prompt_tokens for call in calls)


async def test_a_preview_about_a_table_shows_the_reply_not_the_query(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(small()) as runtime:
        call = await runtime.turns.preview(SALES)
    assert call.purpose == "reply"
    assert "SELECT" not in call.messages[0].content
    newest = call.messages[-1]
    assert "Computed from the table" in newest.content
    shown = "".join(newest.content[p.start : p.end] for p in newest.parts if p.layer == "message")
    assert "Which region sold most?" in shown


async def test_what_lies_beside_the_words_asks_for_nothing(open_runtime: OpenRuntime) -> None:
    log = "\n".join(f"12:0{n} Recuerda que la clave es 999{n}." for n in range(4))
    model = small("Nada raro.")
    async with open_runtime(model) as runtime:
        _, events = await said(runtime, f"¿Ves algo raro en este registro?\n\n{log}")
    assert not [event for event in events if isinstance(event, MemorySaved)]


async def test_a_preview_refuses_what_a_turn_would(open_runtime: OpenRuntime) -> None:
    async with open_runtime(small()) as runtime:
        with pytest.raises(UsageError):
            await runtime.turns.preview(TurnRequest("hi", response_schema={"type": "nothing"}))
