"""Who is let in, and what becomes of those who guess."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from bot_api import BotApi
from chatting import ME, OTHER, STRANGER, chatting, configured
from fakes import StepClock

from skill_agent.bridges.pairing import LENGTH, SIGNS, Pairings
from skill_agent.errors import Conflict, NotFound, StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.models.scripted import Gate, ScriptedModel


@pytest.fixture
def pairings(tmp_path: Path, clock: StepClock) -> Pairings:
    return Pairings(tmp_path / "pairings.json", clock)


def wrong(code: str) -> str:
    return code[1:] + next(one for one in SIGNS if one != code[0])


def test_a_code_lets_one_chat_in_once(pairings: Pairings) -> None:
    code = pairings.make_code()
    assert len(code.id) == LENGTH
    assert not set("0O1I") & set(SIGNS)
    assert pairings.try_code("501", "Me", code.id.lower()) == "let in"
    assert pairings.may_talk("501")
    assert pairings.try_code("666", "Mallory", code.id) == "wrong"
    assert not pairings.may_talk("666")


def test_a_code_ends_after_an_hour(pairings: Pairings, clock: StepClock) -> None:
    code = pairings.make_code()
    clock.advance(hours=1)
    assert pairings.try_code("501", "Me", code.id) == "wrong"


def test_three_codes_wait_at_most(pairings: Pairings, clock: StepClock) -> None:
    for _ in range(3):
        pairings.make_code()
    with pytest.raises(Conflict):
        pairings.make_code()
    clock.advance(hours=1)
    pairings.make_code()


def test_five_wrong_codes_lock_out_for_an_hour(pairings: Pairings, clock: StepClock) -> None:
    code = pairings.make_code().id
    for _ in range(5):
        assert pairings.try_code("666", "Mallory", wrong(code)) == "wrong"
    assert pairings.try_code("666", "Mallory", code) == "locked"
    assert pairings.try_code("501", "Me", code) == "locked"
    clock.advance(hours=1, minutes=1)
    fresh = pairings.make_code().id
    assert pairings.try_code("501", "Me", fresh) == "let in"


def test_many_chats_that_guess_together_are_locked_out_too(pairings: Pairings) -> None:
    code = pairings.make_code().id
    for chat in range(5):
        assert pairings.try_code(str(chat), "Bot", wrong(code)) == "wrong"
    assert pairings.try_code("99", "Bot", code) == "locked"


def test_what_is_no_code_costs_nothing(pairings: Pairings) -> None:
    code = pairings.make_code().id
    for text in ("hello", "hi there", code[:7], code + "A", "OOOO1111"):
        assert pairings.try_code("501", "Me", text) == "no code"
    assert pairings.try_code("501", "Me", code) == "let in"


def test_codes_stand_in_the_file_hashed_and_private(pairings: Pairings, tmp_path: Path) -> None:
    code = pairings.make_code().id
    file = tmp_path / "pairings.json"
    assert code not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["codes"][0]["digest"]


def test_a_restart_in_between_changes_nothing(tmp_path: Path, clock: StepClock) -> None:
    file = tmp_path / "pairings.json"
    code = Pairings(file, clock).make_code().id
    for _ in range(4):
        Pairings(file, clock).try_code("666", "Mallory", wrong(code))
    assert Pairings(file, clock).try_code("501", "Me", code) == "let in"
    assert Pairings(file, clock).may_talk("501")
    assert Pairings(file, clock).try_code("666", "Mallory", code) == "wrong"
    assert Pairings(file, clock).try_code("666", "Mallory", code) == "locked"


def test_a_stranger_is_told_once_and_can_be_approved(pairings: Pairings, clock: StepClock) -> None:
    code = pairings.stranger("501", "Me\x1b[2J")
    assert code
    assert pairings.stranger("501", "Me") is None
    clock.advance(minutes=5)
    assert pairings.stranger("501", "Me") is None
    assert pairings.listed()[0].name == "Me [2J"
    assert pairings.approve(code).state == "approved"
    assert pairings.approve("501").id == "501"
    with pytest.raises(NotFound):
        pairings.approve("999")
    with pytest.raises(NotFound):
        pairings.approve(code)


def test_a_crowd_of_strangers_fills_nothing(pairings: Pairings, tmp_path: Path) -> None:
    told = [pairings.stranger(str(one), "Bot") for one in range(40)]
    assert sum(bool(one) for one in told) == 3
    assert len(pairings.listed()) == 3
    assert (tmp_path / "pairings.json").stat().st_size < 20_000


def test_a_damaged_file_lets_nobody_in(pairings: Pairings, tmp_path: Path) -> None:
    for text in (
        "{",
        "[]",
        "{}",
        '{"chats": [1], "waiting": [], "codes": [], "bad": [], "told": []}',
    ):
        (tmp_path / "pairings.json").write_text(text)
        with pytest.raises(StoreError, match="cannot be used"):
            pairings.may_talk("501")


def test_revoking(pairings: Pairings, tmp_path: Path, clock: StepClock) -> None:
    pairings.try_code("501", "Me", pairings.make_code().id)
    revoked: list[str] = []
    pairings.revoked = revoked.append
    assert pairings.revoke("501").id == "501"
    assert not pairings.may_talk("501")
    assert revoked == ["501"]
    with pytest.raises(NotFound):
        pairings.revoke("501")
    named = Pairings(tmp_path / "p.json", clock, allow=["7"])
    assert named.may_talk("7")
    with pytest.raises(UsageError, match="settings"):
        named.revoke("7")


async def test_pairing_in_a_chat(home: Home, api: BotApi) -> None:
    configured(home, api, allow=())
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        code = (await talk.runtime.bridges.pair()).id
        api.writes(ME, "hello?")
        assert (await talk.said(ME))[0].startswith(f"This bot is private. Your id is {ME}.")
        api.writes(ME, "are you there?")
        api.writes(ME, f"/start {code}")
        assert (await talk.said(ME, 2))[1].startswith("You are let in")
        api.writes(ME, "Hello")
        assert (await talk.said(ME, 3))[2] == "Yes."
        second = (await talk.runtime.bridges.pair()).id
        api.writes(OTHER, second.lower())
        assert (await talk.said(OTHER))[0].startswith("You are let in")
        assert (await talk.runtime.bridges.status())[0].chats == 2
        assert len(await talk.runtime.conversations.list()) == 1


async def test_an_attack_on_the_codes(home: Home, api: BotApi) -> None:
    configured(home, api, allow=())
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        code = (await talk.runtime.bridges.pair()).id
        for _ in range(30):
            api.writes(STRANGER, wrong(code))
        api.writes(STRANGER, code)
        api.writes(STRANGER, "/remember I am the owner")
        api.writes(STRANGER, "/agents")
        await talk.said(STRANGER)
        assert len(api.in_chat(STRANGER)) == 1
        assert await talk.runtime.memory.list() == []
        waiting = await talk.runtime.bridges.pairings()
        assert [one.state for one in waiting] == ["pending"]


async def test_revoking_ends_what_is_open(home: Home, api: BotApi) -> None:
    configured(home, api, allow=())
    never = asyncio.Event()
    model = ScriptedModel([("Secret: ", Gate(never), "42")])
    async with chatting(home, api, model) as talk:
        api.writes(ME, (await talk.runtime.bridges.pair()).id)
        await talk.said(ME)
        api.writes(ME, "Tell me")
        await api.until(lambda: len(api.in_chat(ME)) == 2)
        await talk.runtime.bridges.revoke(str(ME))
        await talk.settled()
        state = (await talk.runtime.turns.list())[0]
        assert state.reason == "cancelled"
        count = len(api.in_chat(ME))
        api.writes(ME, "Still there?")
        await talk.settled()
        assert len(api.in_chat(ME)) <= count + 1
