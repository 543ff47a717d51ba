"""kill -9 between a request and its note: every event comes, and what comes twice has one id."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest
from receiver import Receiver
from webhook_home import Opened, told

SCRIPT = Path(__file__).with_name("dies_sending.py")


@pytest.mark.parametrize("after", [1, 4, 10])
async def test_every_event_is_accounted_for(opened: Opened, receiver: Receiver, after: int) -> None:
    async with opened() as runtime:
        home = runtime.home.root
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(home), receiver.url, str(after),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == -9
    secret = out.decode().strip()
    assert len(receiver.got) == after
    async with opened() as runtime:
        await told(runtime)
        await told(runtime)
    said = [got.fields["content_preview"] for got in receiver.got]
    assert list(dict.fromkeys(said)) == [f"Fact number {n}" for n in range(10)]
    assert all(got.is_signed(secret) for got in receiver.got)
    assert len(set(receiver.ids)) == 10
    assert max(Counter(receiver.ids).values()) <= 2
    assert all(one.fields["event_id"] == one.id for one in receiver.got)
