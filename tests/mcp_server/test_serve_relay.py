"""The relay between a client's streams and hosts that come and go; both sides are played here."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from skill_agent.cli.mcp.streams import Lines

from skill_agent.errors import HomeBusy
from skill_agent.mcp_server.relay import CHANGED, ClientGone, Lost, Relay, Talk, TooLong

IN_S = 10
HELLO = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def asked(id: object, method: str = "tools/call") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": {}}


def answered(id: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "result": {"of": id}}


class Wire:
    """A host, as a test plays it."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._told: asyncio.Queue[str | None] = asyncio.Queue()
        self.gone = False

    async def send(self, text: str) -> None:
        if self.gone:
            raise Lost
        await self.got.put(json.loads(text))

    async def receive(self) -> str:
        told = await self._told.get()
        if told is None:
            raise Lost
        return told

    async def close(self) -> None:
        self.gone = True

    def tell(self, message: dict[str, Any]) -> None:
        self._told.put_nowait(json.dumps(message))

    def die(self) -> None:
        self.gone = True
        self._told.put_nowait(None)

    async def heard(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.got.get(), IN_S)


class Person:
    """The client's side."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes | TooLong | None] = asyncio.Queue()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = True

    async def lines(self) -> AsyncIterator[bytes | TooLong]:
        while (line := await self._lines.get()) is not None:
            yield line

    async def write(self, text: str) -> None:
        if not self.reads:
            raise ClientGone
        assert "\n" not in text
        await self.told.put(json.loads(text))

    def say(self, line: dict[str, Any] | bytes | TooLong | None) -> None:
        self._lines.put_nowait(json.dumps(line).encode() if isinstance(line, dict) else line)

    async def hears(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.told.get(), IN_S)


class Stay:
    """A relay between a client and a row of hosts."""

    def __init__(self, hosts: int = 1) -> None:
        self.person, self.wires = Person(), [Wire() for _ in range(hosts)]
        left = list(self.wires)

        async def join() -> Wire:
            if not left:
                raise HomeBusy("nobody answers", pid=1)
            return left.pop(0)

        self.relay = Relay(self.person, join)
        self.running = asyncio.create_task(self.relay.run())

    async def __aenter__(self) -> "Stay":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def begun(self) -> None:
        self.person.say(HELLO)
        assert await self.wires[0].heard() == HELLO
        self.wires[0].tell(answered(0))
        assert await self.person.hears() == answered(0)
        self.person.say(READY)
        assert await self.wires[0].heard() == READY


async def test_it_brings_messages_both_ways_and_ends_with_the_client() -> None:
    async with Stay() as stay:
        await stay.begun()
        stay.person.say(asked("a"))
        assert await stay.wires[0].heard() == asked("a")
        stay.wires[0].tell({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
        assert (await stay.person.hears())["method"] == "notifications/progress"
        stay.wires[0].tell(answered("a"))
        assert await stay.person.hears() == answered("a")
        stay.person.say(None)
        await asyncio.wait_for(stay.running, IN_S)
        assert stay.wires[0].gone


async def test_a_lost_host_is_answered_for_and_the_next_one_is_greeted_in_silence() -> None:
    async with Stay(hosts=3) as stay:
        await stay.begun()
        first, second, third = stay.wires
        stay.person.say(asked(7))
        await first.heard()
        first.die()
        told = await stay.person.hears()
        assert (told["id"], told["error"]["code"]) == (7, -32000)
        assert "ask again" in told["error"]["message"]
        assert [await second.heard(), await second.heard()] == [HELLO, READY]
        second.tell(answered(0))
        assert await stay.person.hears() == json.loads(CHANGED)
        stay.person.say(asked(8))
        assert await second.heard() == asked(8)  # and not the call before
        second.tell(answered(8))
        assert await stay.person.hears() == answered(8)
        second.die()
        assert [await third.heard(), await third.heard()] == [HELLO, READY]
        third.tell(answered(0))
        assert await stay.person.hears() == json.loads(CHANGED)


async def test_an_opening_under_way_is_said_again_and_its_answer_heard() -> None:
    for opening in (HELLO, asked(0, "server/discover")):
        async with Stay(hosts=2) as stay:
            stay.person.say(opening)
            await stay.wires[0].heard()
            stay.wires[0].die()
            assert await stay.wires[1].heard() == opening
            stay.wires[1].tell(answered(0))
            assert await stay.person.hears() == answered(0)


async def test_the_last_words_of_a_closing_host_are_put_in_ours() -> None:
    async with Stay() as stay:
        await stay.begun()
        stay.person.say(asked(7))
        await stay.wires[0].heard()
        closed = {"code": -32000, "message": "Connection closed"}
        stay.wires[0].tell({"jsonrpc": "2.0", "id": 7, "error": closed})
        assert "ask again" in (await stay.person.hears())["error"]["message"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"garbage", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}', -32700),
        (b"[" * 200_000, -32700),
        (b"[1]", -32600),
        (b"null", -32600),
        (TooLong("a line has at most 10 bytes"), -32600),
    ],
)
async def test_a_bad_line_is_answered_and_the_next_one_served(
    line: bytes | TooLong, code: int
) -> None:
    async with Stay() as stay:
        stay.person.say(line)
        told = await stay.person.hears()
        assert (told["id"], told["error"]["code"]) == (None, code)
        await stay.begun()
        assert stay.wires[0].got.empty()


async def test_a_client_that_reads_no_more_ends_it() -> None:
    async with Stay() as stay:
        await stay.begun()
        stay.person.reads = False
        stay.wires[0].tell(answered(1))
        with pytest.raises(ClientGone):
            await asyncio.wait_for(stay.running, IN_S)


async def test_it_ends_where_no_host_can_be_had() -> None:
    async with Stay() as stay:
        await stay.begun()
        stay.wires[0].die()
        with pytest.raises(HomeBusy):
            await asyncio.wait_for(stay.running, IN_S)


async def test_a_client_that_has_said_its_last_still_gets_what_it_is_owed() -> None:
    async with Stay() as stay:
        stay.person.say(HELLO)
        stay.person.say(None)
        await stay.wires[0].heard()
        stay.wires[0].tell(answered(0))
        assert await stay.person.hears() == answered(0)
        await asyncio.wait_for(stay.running, IN_S)


def test_ids_of_two_kinds_are_two_ids() -> None:
    talk = Talk()
    for id in (1, "1"):
        talk.said("", asked(id))
    talk.heard(json.dumps(answered(1)))
    assert [json.loads(told)["id"] for told in talk.lost()] == ["1"]


def test_lines_are_cut_where_they_end_and_kept_up_to_their_most() -> None:
    lines = Lines(most=10)
    assert lines.after(b'{"a"') == []
    assert lines.after(b": 1}\r\n\n  \n{}\n{") == [b'{"a": 1}', b"{}"]
    assert lines.after(b"x" * 8) == []
    assert lines.after(b"x" * 1_000_000) == []
    assert not lines._begun
    long, short = lines.after(b"x\n0123456789\n")
    assert isinstance(long, TooLong)
    assert short == b"0123456789"
