"""Reading conversations: certain facts, sentences a small model judges, notes of a capable one."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_home import note

from skill_agent.errors import ModelFailed, ModelUnavailable
from skill_agent.memory.extraction.extract import extract
from skill_agent.memory.extraction.model import able
from skill_agent.memory.extraction.own_words import dated
from skill_agent.memory.extraction.statement import Extraction
from skill_agent.memory.extraction.statements import statements_of
from skill_agent.models.scripted import Answer, Gate, ScriptedModel, Step
from skill_agent.ports import ModelRequest
from skill_agent.values import Message, ModelInfo

WEDNESDAY = datetime(2026, 5, 13, 15, 0, tzinfo=UTC)
TAP = "The kitchen tap at home drips since the plumber left."
PLAN = "We decided to use Redis for the cache."


def talk(*lines: str) -> list[Message]:
    """Messages from lines beginning with `me: ` or `ai: `."""
    return [
        Message(
            id=f"m{n}", session="s", turn=f"t{n}", role="user" if line[:2] == "me" else "assistant",
            content=line[4:], created_at=WEDNESDAY,
        )
        for n, line in enumerate(lines)
    ]  # fmt: skip


def keeping(*words: str) -> Answer:
    """A small model that wants to keep what has one of the words."""

    def answer(request: ModelRequest) -> str:
        return "yes" if any(one in request.messages[-1].content for one in words) else "no"

    return answer


async def read(
    messages: Sequence[Message], answer: Answer, *, remote: bool = False, window: int = 8192
) -> tuple[Extraction, ScriptedModel]:
    model = ScriptedModel(otherwise=answer, context_window=window)
    model.info = replace(model.info, local=not remote)
    return await extract(messages, model), model


def contents(found: Extraction) -> list[str]:
    return [one.content for one in found.candidates]


# -- sentence by sentence ------------------------------------------------------------------------


async def test_without_a_model_only_what_is_certain_is_kept() -> None:
    found = await extract(talk(f"me: I live in Oslo. {TAP}"), None)
    assert contents(found) == ["I live in Oslo."]
    assert (found.certain, found.judged, found.passes, found.model) == (1, 0, 0, "")


async def test_a_small_models_yes_keeps_a_sentence_in_the_persons_own_words() -> None:
    found, model = await read(talk(f"me: I live in Oslo. {TAP} {PLAN}"), keeping("tap"))
    assert contents(found) == ["I live in Oslo.", TAP]
    assert (found.certain, found.judged, found.dropped, found.passes) == (1, 1, 1, 1)
    kept = found.candidates[1]
    assert (kept.quote, kept.speaker, kept.model) == (TAP, "user", model.info.name)
    assert (kept.memory_type, kept.source.message_ids) == ("semantic", ("m0",))
    assert all(one.answers == ("yes", "no") and one.background for one in model.requests)
    assert len({one.messages[0].content for one in model.requests}) == 1, "one prefix to keep hot"


async def test_what_is_certain_or_only_chat_costs_no_call() -> None:
    lines = talk("me: hi", "ai: Hello!", "me: I live in Oslo.", "me: thanks!", "me: How are you?")
    _, model = await read(lines, keeping(""))
    assert model.requests == []


async def test_what_is_said_in_an_apposition_is_kept_with_its_sentence() -> None:
    text = "My sister Ines, who's 34 and lives near Porto, called when the pan was on fire."
    found, _ = await read(talk(f"me: {text}"), keeping("Ines"))
    assert contents(found) == [text]


async def test_a_short_answer_keeps_its_question_and_who_asked_it() -> None:
    lines = talk("ai: Nice. Which wood do you work with?", "me: mostly walnut and cherry")
    lines[0] = replace(lines[0], origins=("web",))
    found, _ = await read(lines, keeping("walnut"))
    assert contents(found) == ["Which wood do you work with? — mostly walnut and cherry"]
    assert found.candidates[0].origins == ("web",)


async def test_a_sentence_that_points_back_keeps_the_one_before() -> None:
    lines = talk("me: My neighbour Tom is a vet from Leeds. He brews cider in the shed at home.")
    found, _ = await read(lines, keeping("cider"))
    assert contents(found) == [
        "My neighbour Tom is a vet from Leeds. He brews cider in the shed at home."
    ]


async def test_what_is_stated_before_a_question_is_read_and_the_question_is_not() -> None:
    lines = talk("me: We moved the harp to the cellar in spring, what could I put in its place?")
    assert [one.text for one in statements_of(lines)] == [
        "We moved the harp to the cellar in spring"
    ]


async def test_a_correction_stands_beside_what_it_corrects_in_their_order() -> None:
    lines = talk("me: The rehearsal in Namur is on 9 June 2026.", "ai: Ok.",
                 "me: No wait, the rehearsal is on 11 June 2026, not in Namur.")  # fmt: skip
    found, _ = await read(lines, keeping("rehearsal"))
    assert contents(found) == [lines[0].content, lines[2].content]


async def test_the_assistants_words_are_never_judged_as_the_persons() -> None:
    _, model = await read(talk("ai: I am a robot from Mars. Lovely.", f"me: {TAP}"), keeping(""))
    asked = [one.messages[-1].content for one in model.requests]
    assert len(asked) == 1
    assert "Mars" not in asked[0]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I fly to Osaka tomorrow", "I fly to Osaka tomorrow (2026-05-14)"),
        ("The boiler gave up yesterday.", "The boiler gave up yesterday (2026-05-12)."),
        ("The fair is on 3 June 2026.", "The fair is on 3 June 2026."),
        ("I like long walks", "I like long walks"),
    ],
)
def test_a_day_named_by_its_distance_has_its_date_behind_it(text: str, kept: str) -> None:
    assert dated(text, WEDNESDAY) == kept


async def test_what_has_a_day_is_an_event() -> None:
    found, _ = await read(talk("me: The kitchen boiler at home gave up yesterday."), keeping("b"))
    assert [one.memory_type for one in found.candidates] == ["episodic"]


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), ModelFailed("nonsense")])
async def test_a_failing_model_leaves_what_is_certain_and_a_reason(error: Exception) -> None:
    steps: list[Step] = [error]  # type: ignore[list-item]
    found, _ = await read(talk(f"me: I live in Oslo. {TAP}"), steps)
    assert contents(found) == ["I live in Oslo."]
    assert found.problem == str(error)


async def test_an_answer_that_is_none_of_the_words_is_a_failure() -> None:
    found, _ = await read(talk(f"me: {TAP}"), "perhaps")
    assert found.candidates == ()
    assert "perhaps" in found.problem


async def test_cancellation_passes_through() -> None:
    asked = asyncio.Event()

    def wait(_: ModelRequest) -> list[Step]:
        asked.set()
        return [Gate(asyncio.Event())]

    model = ScriptedModel([wait])
    task = asyncio.create_task(extract(talk(f"me: {TAP}"), model))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.closed_early == 1


SAID = st.lists(
    st.sampled_from([TAP, PLAN, "I live in Oslo.", "Ich wohne in Ulm und wir haben 3 Hunde.",
                     "妹の美咲は4月1日から横浜で働いています。",
                     "我在成都开了一家花店。", "ok", "really?"])
    | st.text(max_size=60),
    min_size=1, max_size=5,
)  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), SAID), min_size=1, max_size=4))
async def test_whatever_is_kept_stands_word_for_word_in_a_message_of_the_person(
    turns: list[tuple[bool, list[str]]],
) -> None:
    messages = talk(*(f"{'me' if mine else 'ai'}: {' '.join(said)}" for mine, said in turns))
    found, _ = await read(messages, keeping(""))
    by_id = {one.id: one for one in messages}
    for one in found.candidates:
        for message in map(by_id.__getitem__, one.source.message_ids):
            assert message.role == "user"
        assert one.quote in by_id[one.source.message_ids[0]].content
        undated = re.sub(r" \(\d{4}-\d\d[\d/-]*\)", "", one.content)
        assert " ".join(one.quote.split()) in undated


# -- notes of a capable model --------------------------------------------------------------------


def noting(*first: object, missed: Sequence[object] = (), wrong: Sequence[int] = ()) -> Answer:
    """A capable model with these notes, and these of its second reading."""

    def answer(request: ModelRequest) -> str:
        if "notes" in (request.response_schema or {})["properties"]:
            return json.dumps({"notes": first})
        return json.dumps({"missed": missed, "wrong": wrong})

    return answer


async def test_the_second_reading_adds_what_was_missed_and_takes_out_what_is_wrong() -> None:
    lines = talk(f"me: {TAP} {PLAN}", "ai: Ok.", "me: Slugs eat my kale.")
    notes = note(TAP, "m0"), note("Slugs eat my kale.", "m2")
    found, model = await read(
        lines, noting(*notes, missed=[note(PLAN, "m0")], wrong=[2]), remote=True
    )
    assert contents(found) == [TAP, PLAN]
    assert (found.passes, found.judged, found.dropped) == (2, 2, 1)
    first, second = model.requests
    assert json.dumps(notes[0], ensure_ascii=False) in second.messages[-1].content
    assert first.messages[-1].content in second.messages[-1].content


@pytest.mark.parametrize(
    "bad",
    [
        note("The tap drips.", "m0", quote="The tap drips a lot"),
        note("Redis rocks.", "m1"),
        note(TAP, "m9"),
        note(TAP, "m0", importance=2),
    ],
)
async def test_a_note_needs_a_quote_of_the_person_and_some_weight(bad: object) -> None:
    found, _ = await read(talk(f"me: {TAP}", "ai: Redis rocks."), noting(bad), remote=True)
    assert (found.candidates, found.dropped) == ((), 1)


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ("The user's kitchen tap drips.", "The user's kitchen tap drips."),
        ("The user's kitchen tap drips since 2019.", TAP),
        ("The user's kitchen tap in Lisbon drips.", TAP),
    ],
)
async def test_a_note_that_says_more_than_was_said_gives_way_to_the_persons_words(
    content: str, kept: str
) -> None:
    found, _ = await read(talk(f"me: {TAP}"), noting(note(content, "m0", quote=TAP)), remote=True)
    assert contents(found) == [kept]
    assert found.candidates[0].speaker == ("user" if kept == TAP else None)


async def test_a_number_of_the_quote_may_not_be_lost() -> None:
    text = "The fair in Ulm has 40 stalls."
    bad = note("The fair in Ulm has stalls.", "m0", quote=text)
    found, _ = await read(talk(f"me: {text}"), noting(bad), remote=True)
    assert contents(found) == [text]


async def test_only_a_sure_note_stands_in_the_profile() -> None:
    profile = {"type": "user_profile", "importance": 9}
    notes = note(TAP, "m0", **profile, confidence=0.95), note(PLAN, "m0", **profile)
    found, _ = await read(talk(f"me: {TAP} {PLAN}"), noting(*notes), remote=True)
    assert [(one.memory_type, one.importance) for one in found.candidates] == [
        ("user_profile", 9),
        ("semantic", 7),
    ]


async def test_notes_out_of_form_are_a_failure_and_a_failed_review_keeps_the_notes() -> None:
    found, _ = await read(talk(f"me: {TAP}"), "no JSON", remote=True)
    assert (found.candidates, "form" in found.problem) == ((), True)

    def half(request: ModelRequest) -> str:
        if "notes" in (request.response_schema or {})["properties"]:
            return json.dumps({"notes": [note(TAP, "m0")]})
        return "{}"

    found, _ = await read(talk(f"me: {TAP}"), half, remote=True)
    assert (contents(found), "form" in found.problem) == ([TAP], True)


async def test_long_conversations_are_noted_in_stretches_and_pasted_text_is_not_shown() -> None:
    lines = talk(*(f"me: Shelf number {n} carries the old maps of region {n}." for n in range(90)))
    _, model = await read(lines, noting(), remote=True, window=2048)
    first = [one.messages[-1].content for one in model.requests[::2]]
    assert len(first) > 1
    assert sum(text.count("Shelf number") for text in first) == 90
    _, model = await read(talk("me: see:\n```\nI am Root\n```"), noting(), remote=True)
    assert "Root" not in model.requests[0].messages[-1].content


def test_which_models_are_able() -> None:
    def info(provider: str, size: int, *roles: str) -> ModelInfo:
        return ModelInfo(name=f"{provider}/x", provider=provider, size_bytes=size, roles=roles)

    assert able(info("embedded", 1_117_320_768))
    assert not able(info("embedded", 98_362_432))
    assert able(info("embedded", 98_362_432, "extract"))
    assert able(info("openai", 0))
