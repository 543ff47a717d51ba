"""The first call of a process: what has to be imported for it is not the provider's time."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from http_fake import Hang, Provider, Say, provider
from listening import listen, user

from skill_agent.errors import ModelUnavailable
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import ModelRequest
from skill_agent.values import ModelInfo


async def first_call(server: Provider, *options: str) -> tuple[dict[str, Any], str]:
    script = Path(__file__).with_name("first_call.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), server.base, *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    return json.loads(out or b"{}"), errors.decode()


@pytest.mark.deep
async def test_imports_are_not_counted_as_the_providers_time() -> None:
    with provider(Say(("Hel", "lo"))) as server:
        told, errors = await first_call(server)
    assert errors == ""
    assert told == {"before": 0, "text": "Hello"}


@pytest.mark.deep
async def test_loading_imports_all_that_a_call_takes() -> None:
    with provider(Say(("Hel", "lo"))) as server:
        told, errors = await first_call(server, "--load")
    assert errors == ""
    assert told == {"before": 0, "text": "Hello", "late": []}


async def test_a_server_that_keeps_silent_leaves_nothing_behind(
    recwarn: pytest.WarningsRecorder,
) -> None:
    info = ModelInfo(name="openai/m", provider="openai")
    with provider(Hang()) as server:
        model = RemoteModel(info, timeout_s=0.3, base=server.base)
        with pytest.raises(ModelUnavailable, match="did not answer in time"):
            await listen(model, ModelRequest(messages=(user("hi"),)))
        assert len(server.bodies) == 1
    assert not [one for one in recwarn if "never awaited" in str(one.message)]
