"""A conversation that is opened again looks as it did while it was held."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from skill_agent.tui.talk.shown.blocks import UserBlock
from team_talk import Chooses

from skill_agent.errors import ModelFailed, ModelUnavailable
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import Answer, Gate, ScriptedModel
from skill_agent.ports import EndPart, StatusPart
from skill_agent.values import ToolCall, Usage

SIZE = (100, 300)
"""Rows for a whole conversation at once."""


@dataclass(frozen=True)
class Turn:
    """What is said, what the model does, the keys pressed meanwhile, and what must be shown."""

    said: str
    replies: Sequence[Answer]
    keys: Sequence[str] = ()
    shown: Sequence[str] = ()
    awaited: str = ""
    """Shown before the keys are pressed."""


def fetching(host: int) -> ToolCall:
    """A call that is asked about, of a host of its own: "always" is about that one alone."""
    address = {"url": f"http://127.0.0.{host}/"}
    return ToolCall(id=f"call-{host}", name="http_get", arguments=address)


def ending(finish) -> EndPart:
    return EndPart(usage=Usage(model="scripted/model", prompt_tokens=9), finish=finish)


def never(*said: str) -> Answer:
    """A reply that does not come to its end."""
    return lambda _: [*said, Gate(asyncio.Event())]


TURNS = {
    "plain": Turn("Hello", ["Hello *you*.\n\n- one\n- two"], shown=["Hello you."]),
    "kept": Turn(
        "Remember that my bike is green", ["Noted."], shown=["✓ Saved to memory", "undo: F6"]
    ),
    "kept again": Turn("Remember that my bike is green", ["I know."], shown=["Saved to memory"]),
    "tool": Turn(
        "Look it up",
        [
            ["Let me look. ", ToolCall(id="a", name="search_memory", arguments={"query": "bike"})],
            ["Once more. ", ToolCall(id="b", name="search_memory", arguments={"query": "x"})],
            "It is green.",
        ],
        shown=["search_memory  ✓", "Let me look.", "It is green."],
    ),
    "unknown tool": Turn(
        "Fly", [[ToolCall(id="c", name="fly", arguments={"to": "moon"})], "I cannot."],
        shown=["fly  ✗", "there is no tool 'fly'"],
    ),
    "denied": Turn(
        "Fetch", [["I will see. ", fetching(2)], "You said no."], ["f2", "d"],
        ["Denied  by you", "http_get  ✗ not allowed"],
    ),
    "allowed": Turn(
        "Fetch", [[fetching(3)], "It failed."], ["f2", "o"],
        ["Allowed once", "http_get  ✗", "failed:"],
    ),
    "allowed always": Turn(
        "Fetch", [[fetching(4)], "It failed."], ["f2", "a"], ["Allowed from now on"]
    ),
    "stopped": Turn(
        "Long", [never("half of ", "it")], ["escape"], ["Stopped; what came is kept"],
        "half of it",
    ),
    "stopped at once": Turn("Wait", [never()], ["escape"], ["■ Stopped"]),
    "stopped at a question": Turn(
        "Fetch", [["Let me. ", fetching(5)]], ["escape"], ["Stopped; what came is kept"]
    ),
    "failed": Turn(
        "Fail", [[ModelFailed("boom", hint="try again later")]],
        shown=["Kyra could not answer", "boom", "→ try again later"],
    ),
    "failed midway": Turn(
        "Fail", [["half an ans", ModelUnavailable("gone")]],
        shown=["half an ans", "Broken off here; what came is kept", "gone"],
    ),
    "failed after a tool": Turn(
        "Look",
        [[ToolCall(id="d", name="search_memory", arguments={"query": "y"})], [ModelFailed("no")]],
        shown=["search_memory  ✓", "could not answer"],
    ),
    "length": Turn("Long", [["Cut off he", ending("length")]], shown=["! the reply hit"]),
    "cut": Turn("Cut", [["Only the beg", ending("cut")]], shown=["! "]),
    "filtered": Turn("Bad", [["Well, ", ending("filtered")]], shown=["! "]),
    "thinking": Turn(
        "Think", [[StatusPart(text="loading (20 %)"), StatusPart(text="loading (90 %)"), "Done."]],
        shown=["Done."],
    ),
}  # fmt: skip


def rows(seat) -> list[str]:
    """The conversation as it stands on the screen, without blank rows."""
    region = seat.talk.conversation.region
    strips = seat.app.screen._compositor.render_strips()[region.y : region.bottom]
    lines = ("".join(part.text for part in strip)[: region.right] for strip in strips)
    return [line.rstrip() for line in lines if line.strip()]


def ended(seat) -> int:
    """How many turns have come to their end here."""
    session = seat.talk.session_id
    running = len(seat.talk.turns.of(session)) if session else 0
    return len(seat.talk.query(UserBlock)) - running


async def hold(seat, turn: Turn) -> None:
    """Says it, does what is to be done meanwhile, and waits for its end."""
    before = ended(seat)
    await seat.say(turn.said)
    if turn.keys[:1] == ["f2"] or turn.said == "Fetch":
        await seat.until(lambda: seat.talk.approvals.pending)
    elif turn.keys:
        await seat.until(lambda: len(seat.talk.query(UserBlock)) > before)
        await seat.until(lambda: turn.awaited in seat.shown())
    await seat.press(*turn.keys)
    await seat.until(lambda: ended(seat) > before)


async def both(sit, open_runtime, turns: Sequence[Turn]) -> tuple[list[str], list[str]]:
    """What is shown of the turns while they are held, and after they are read again."""
    model = ScriptedModel([reply for turn in turns for reply in turn.replies])
    async with sit(lambda: open_runtime(model), size=SIZE) as seat:
        for turn in turns:
            await hold(seat, turn)
        await seat.settled()
        live = rows(seat)
        session = seat.talk.session_id
    async with sit(lambda: open_runtime(ScriptedModel([])), size=SIZE, session=session) as seat:
        await seat.until(lambda: len(seat.talk.query(UserBlock)) == len(turns))
        await seat.settled()
        return live, rows(seat)


@pytest.mark.deep
async def test_a_conversation_looks_the_same_when_it_is_read_again(sit, open_runtime) -> None:
    live, again = await both(sit, open_runtime, list(TURNS.values()))
    assert again == live
    wanted = {name: one for name, turn in TURNS.items() for one in turn.shown}
    assert {name: one for name, one in wanted.items() if one not in "\n".join(live)} == {}
    assert "loading" not in "\n".join(live), "progress is no part of it"


SEATED = [
    Turn("Hello", ["Hi."]),
    Turn("Invite Ada", ["Ada here."], shown=["· Ada was invited"]),
    Turn("Hand this over to Luke", ["Luke here."], shown=["⇢ Kyra hands over to Luke: the user"]),
    Turn("Remember that my bike is green", ["Noted."]),
    Turn("Thanks Luke. Back to Kyra please!", ["Yes?"], shown=["⇢ Luke hands over to Kyra"]),
    Turn("Ada can leave", [never("Fine, ")], ["escape"], ["Ada left"], awaited="Fine,"),
    Turn("Invite Ada", [["Well", ModelFailed("it broke")]], shown=["Ada could not answer"]),
]


@pytest.mark.deep
async def test_who_came_and_went_looks_the_same_too(sit, open_runtime) -> None:
    live, again = await both(sit, open_runtime, SEATED)
    assert again == live
    wanted = [one for turn in SEATED for one in turn.shown if one not in "\n".join(live)]
    assert wanted == []


async def test_so_does_what_was_changed_from_elsewhere(sit, open_runtime) -> None:
    """Between the turns, and who answers next is followed."""
    model, opened = ScriptedModel(["Hi.", "Luke here."]), list[Runtime]()

    @asynccontextmanager
    async def here() -> AsyncIterator[Runtime]:
        async with open_runtime(model) as runtime:
            opened.append(runtime)
            yield runtime

    async with sit(here, size=SIZE) as seat:
        await hold(seat, Turn("Hello", []))
        session = seat.talk.session_id
        await opened[0].seats.invite(session, ["ada"])
        await opened[0].seats.hand_over(session, "luke", reason="hens")
        await seat.until(lambda: "Kyra hands over to Luke: hens" in seat.shown())
        await seat.until(lambda: seat.talk.speaker == "luke")
        await hold(seat, Turn("Who is it?", []))
        await opened[0].seats.leave(session, "ada")
        await seat.until(lambda: "Ada left" in seat.shown())
        await seat.settled()
        live = rows(seat)
    async with sit(lambda: open_runtime(ScriptedModel([])), size=SIZE, session=session) as seat:
        await seat.until(lambda: len(seat.talk.query(UserBlock)) == 2)
        await seat.settled()
        assert rows(seat) == live


SHY = {"name": "Shy", "boundaries": {"escalates_to": "luke", "max_autonomy": "ask"}}


@pytest.mark.parametrize(("key", "name"), [("o", "Luke"), ("d", "Shy")])
async def test_a_reply_bears_the_name_of_who_gives_it(sit, open_runtime, key, name) -> None:
    """Another agent takes a turn over, if the person agrees."""
    search = ToolCall(id="a", name="search_memory", arguments={"query": "x"})
    model = ScriptedModel(["Hi.", [search], "Bread."])
    async with open_runtime(model) as runtime:
        await runtime.agents.new("shy", SHY)
        session = [event async for event in runtime.ask("hello", agent="shy")][-1].session

    @asynccontextmanager
    async def here() -> AsyncIterator[Runtime]:
        async with open_runtime(model) as runtime:
            Chooses(agent="luke", escalated_from="shy").put_into(runtime)
            yield runtime

    async with sit(here, size=SIZE, session=session) as seat:
        await seat.until(lambda: len(seat.talk.query(UserBlock)) == 1)
        await hold(seat, Turn("A recipe", [], ["f2", key]))
        await seat.settled()
        live = rows(seat)
        said = max(n for n, one in enumerate(live) if one.split()[-1:] == ["You"])
        head = next(one for one in live[said:] if "▌" not in one)
        assert name in head.split()[:2], live
    async with sit(lambda: open_runtime(ScriptedModel([])), size=SIZE, session=session) as seat:
        await seat.until(lambda: len(seat.talk.query(UserBlock)) == 2)
        await seat.settled()
        assert rows(seat) == live


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(6))
async def test_so_does_any_other(sit, open_runtime, seed: int) -> None:
    turns = random.Random(seed).sample(list(TURNS.values()), k=8)
    live, again = await both(sit, open_runtime, turns)
    assert again == live


@pytest.mark.deep
@pytest.mark.parametrize("name", TURNS)
async def test_so_does_each_turn_by_itself(sit, open_runtime, name: str) -> None:
    live, again = await both(sit, open_runtime, [TURNS[name]])
    assert again == live
