"""What a client of the API learns of a turn, whatever the model's provider answers."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_home import Present, Served
from fakes import HashEmbedder
from in_process import open_in_process
from odd_provider import SCENARIOS, Provider, Scenario, home_of, provider

from skill_agent.api.answers.chat_frames import STATUS
from skill_agent.api.door.protect import protect
from skill_agent.api.door.traffic import AsgiApp

EVERY = 5
"""So many of the scenarios are tried each time; the deep lane tries all."""
EACH = [
    pytest.param(name, one, id=name, marks=() if number % EVERY == 0 else (pytest.mark.deep,))
    for number, (name, one) in enumerate(SCENARIOS.items())
]


@pytest.fixture
async def odd() -> AsyncIterator[Provider]:
    async with provider(SCENARIOS) as asked:
        yield asked


@pytest.fixture
async def http(
    odd: Provider, tmp_path: Path, served: Served, present: Present, whole_app: AsgiApp
) -> AsyncIterator[httpx.AsyncClient]:
    root = home_of(tmp_path / "home", odd.url)
    async with open_in_process(root, create=True, embedder=HashEmbedder()) as runtime:
        present.station = runtime
        app = protect(whole_app, home=runtime.home, clock=lambda: datetime.now(UTC), tcp=False)
        async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
            yield client


@pytest.mark.deep
@pytest.mark.parametrize(("name", "scenario"), EACH)
async def test_an_answer_and_a_stream_tell_the_same(
    http: httpx.AsyncClient, name: str, scenario: Scenario
) -> None:
    options = {"max_tokens": 2_000}
    wish = {"content": "Where does it stand?", "model": f"openai/{name}", "options": options}
    whole = await http.post("/v1/agents/kyra/chat", json=wish)
    streamed = await http.post("/v1/agents/kyra/chat/stream", json=wish)
    frames = list(framed(streamed.text))
    ends = [one for one in frames if one.get("type") in ("done", "error")]
    assert len(ends) == 1 and frames[-1] is ends[0]
    if scenario.end == "noticed":
        return
    failed = scenario.end == "failed"
    assert (whole.status_code in {*STATUS.values()}) == failed, whole.text
    assert (ends[0]["type"] == "error") == failed
    if scenario.text and not failed:
        assert whole.json()["content"] == scenario.text


def framed(text: str) -> list[dict[str, Any]]:
    return [
        json.loads(line.removeprefix("data: "))
        for line in text.splitlines()
        if line.startswith("data: ") and line != "data: [DONE]"
    ]
