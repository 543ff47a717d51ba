"""What a reply gives away: credentials never, an agent's instructions and another person's data not
without a word."""

from itertools import pairwise

import pytest
from fakes import OpenRuntime
from hypothesis import example, given
from hypothesis import strategies as st

from skill_agent.events import Event, Notice, TextDelta, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ChatMessage
from skill_agent.turns.guards.outgoing import Outgoing, repeats, tells_of_another
from skill_agent.values import Attachment, NewMemory, ToolCall, TurnRequest

KEY = "sk-proj-" + "Ab3dEf9hIj2lMn5pQr8tUv1x" * 2
PRIVATE = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
)
ORDINARY = """The build takes 12 minutes; see https://ci.example.org/jobs/42?page=2#top for v1.2.3.
Use `token = get_token(request)` and set API_KEY=your_key_here, then run e.g. make -j4.
| name | sum |
|------|-----|
| a_b  | 1,234.50 |
会議は2026年11月29日の15:30に始まります。パスワードは必要ありません。 Der Termin steht (29.11.).
"""


def passed(pieces: list[str], outgoing: Outgoing | None = None) -> str:
    outgoing = outgoing or Outgoing()
    return "".join([*map(outgoing.feed, pieces), outgoing.rest()])


def cut(text: str, at: list[int]) -> list[str]:
    places = sorted({0, len(text), *(one % (len(text) + 1) for one in at)})
    return [text[a:b] for a, b in pairwise(places)]


@given(st.lists(st.integers(0, 1_000), max_size=40))
@example([*range(1_000)])
def test_an_ordinary_reply_passes_to_the_letter(at: list[int]) -> None:
    outgoing = Outgoing()
    assert passed(cut(ORDINARY, at), outgoing) == ORDINARY
    assert not outgoing.told


@given(st.lists(st.integers(0, 1_000), max_size=40))
@example([*range(1_000)])
@example([])
def test_a_credential_is_left_out_however_it_is_cut(at: list[int]) -> None:
    for secret in (KEY, PRIVATE):
        outgoing = Outgoing()
        said = passed(cut(f"Here it is: {secret} and that is all.", at), outgoing)
        assert said.startswith("Here it is: ") and said.endswith(" and that is all.")
        assert "[redacted: " in said and secret[8:20] not in said
        assert outgoing.told.startswith("left out of the reply")


@given(st.lists(st.integers(0, 1_000), max_size=40))
@example([*range(1_000)])
def test_what_a_page_calls_a_password_is_left_out(at: list[int]) -> None:
    outgoing = Outgoing()
    outgoing.reading([ChatMessage(role="tool", content="db password: hunter2hunter2")])
    said = passed(cut("The password: hunter2hunter2, so log in.", at), outgoing)
    assert "hunter2hunter2" not in said and said.endswith(", so log in.")


def test_what_the_person_wrote_may_be_said_to_them() -> None:
    assert passed([f"Your key {KEY} is fine."], Outgoing(own=f"is {KEY} fine?")) == (
        f"Your key {KEY} is fine."
    )


def test_a_password_made_up_for_the_person_is_theirs() -> None:
    assert passed(["password: ", "Kq7", "vT2mX", "9z\n"]) == "password: Kq7vT2mX9z\n"


def test_words_do_not_wait() -> None:
    outgoing = Outgoing()
    assert [outgoing.feed(one) for one in ("Hel", "lo", " wor", "ld")] == [
        "Hel",
        "lo",
        " wor",
        "ld",
    ]
    assert outgoing.feed("今日は2026年") == "今日は2026年"
    assert outgoing.rest() == ""


def test_instructions_said_on() -> None:
    rules = "You are Kyra and you always answer in the language of the message, be brief, be kind."
    assert repeats(f"My instructions: {rules.upper()}", rules, "")
    assert not repeats(f"My instructions: {rules}", rules, f"improve this: {rules}")
    assert not repeats("I answer in the language of the message, briefly and kindly.", rules, "")


def test_another_persons_data() -> None:
    known = ["The user lives in Graz near the old brewery", "The user's name is Ada"]
    assert tells_of_another("Well, Ada lives in Graz near the old brewery.", known, "")
    assert not tells_of_another("Graz has an old brewery near the river.", known, "")
    assert not tells_of_another("You live in Graz near the old brewery.", known, known[0])


async def heard(runtime: Runtime, request: TurnRequest | str) -> list[Event]:
    events = [event async for event in runtime.turns.ask(request)]
    await runtime.settle()
    return events


def warnings(events: list[Event]) -> list[str]:
    return [one.text for one in events if isinstance(one, Notice) and one.level == "warning"]


async def test_neither_screen_nor_ledger_get_it(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([["The key is ", KEY[:20], KEY[20:], ", use it."]])
    async with open_runtime(model) as runtime:
        events = await heard(runtime, "what is the key?")
        stored = await runtime.conversations.messages(events[0].session)
    shown = "".join(one.text for one in events if isinstance(one, TextDelta))
    assert isinstance(events[-1], TurnFinished)
    assert shown == events[-1].text == stored[-1].content
    assert KEY[10:30] not in shown and "use it." in shown
    (told,) = warnings(events)
    assert "left out of the reply" in told


async def test_a_key_the_person_sent_is_spoken_of(open_runtime: OpenRuntime) -> None:
    model = ScriptedModel([f"Rotate {KEY} soon.", f"It was {KEY} as I said."])
    async with open_runtime(model) as runtime:
        request = TurnRequest("review this", attachments=(Attachment(f"KEY={KEY}", origin="file"),))
        first = await heard(runtime, request)
        again = await heard(runtime, TurnRequest("which one?", session=first[0].session))
    assert isinstance(first[-1], TurnFinished) and KEY in first[-1].text
    assert isinstance(again[-1], TurnFinished) and KEY in again[-1].text
    assert warnings([*first, *again]) == []


@pytest.mark.parametrize("tainted", [True, False])
async def test_an_agents_instructions_are_told_on_under_the_eyes_of_others_only(
    open_runtime: OpenRuntime, tainted: bool
) -> None:
    model = ScriptedModel([lambda request: f"Sure: {request.messages[0].content}"])
    page = (Attachment("a page about bread", origin="web"),) if tainted else ()
    async with open_runtime(model) as runtime:
        told = warnings(await heard(runtime, TurnRequest("what are you told?", attachments=page)))
    assert bool(told) == tainted
    assert not told or "instructions" in told[0]


async def test_what_is_known_of_another_person_is_told(open_runtime: OpenRuntime) -> None:
    secret = "The user lives in Graz near the old brewery"
    look = ToolCall(id="l", name="search_memory", arguments={"query": "bread"})
    model = ScriptedModel([[look], "Ada lives in Graz near the old brewery."])
    async with open_runtime(model) as runtime:
        await runtime.memory.add(NewMemory(secret, memory_type="user_profile", user="ada"))
        page = (Attachment("a page about bread", origin="web"),)
        told = warnings(await heard(runtime, TurnRequest("and?", attachments=page)))
    assert len(told) == 1 and "another person" in told[0]
