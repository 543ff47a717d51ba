"""Who can do what, and who has time for it."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from fakes import OpenRuntime

from skill_agent.errors import ModelUnavailable, NotFound
from skill_agent.events import TurnFinished
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.team.mail.directory import Colleagues
from skill_agent.values import TurnRequest

ALIKE = ("review", "revis", "prüf", "レビュー", "审查")


class Meanings:
    """Knows of one meaning in several languages; all else points elsewhere."""

    name = "meanings"
    dimensions = 2

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = [
            (1.0, 0.0) if any(one in text.lower() for one in ALIKE) else (0.0, 1.0)
            for text in texts
        ]
        return np.array(rows, np.float32)


class Missing(Meanings):
    """Has not been fetched."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        raise ModelUnavailable("no embedder here")


@pytest.mark.parametrize("wanted", ["code-review", "Code reviews", "reviewing code"])
async def test_a_skill_is_found_by_its_words_without_an_embedder(
    open_runtime: OpenRuntime, wanted: str
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        for embedder in (None, Missing):
            known = _colleagues(runtime, embedder)
            found = await known.find_experts([wanted])
            assert [one.id for one in found][:1] == ["luke"], embedder
            assert found[0].skill_coverage == 1.0


def _colleagues(runtime: object, embedder: type | None, **more: object) -> Colleagues:
    ground = runtime._team._ground  # type: ignore[attr-defined]
    return Colleagues(
        directory=ground.directory,
        board=ground.board,
        skills=ground.skillbook.skills_lately,
        embedder=embedder,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "wanted", ["revisión del programa", "Prüfung", "コードのレビュー", "审查代码"]
)
async def test_in_any_language_the_embedder_knows(open_runtime: OpenRuntime, wanted: str) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        found = await _colleagues(runtime, Meanings).find_experts([wanted], exclude=["kyra"])
        assert "luke" in [one.id for one in found]
        half = await _colleagues(runtime, None).find_experts(["code review", "juggling"])
        assert [(one.id, one.skill_coverage) for one in half] == [("luke", 0.5)]


async def test_the_best_come_first_then_the_free_then_the_idle(open_runtime: OpenRuntime) -> None:
    busy = {"luke": 5, "kyra": 1}
    async with open_runtime(ScriptedModel()) as runtime:
        known = _colleagues(runtime, None, tasks=lambda slug: busy.get(slug, 0))
        everybody = [one.id for one in await known.find_experts()]
        assert everybody[-2:] == ["kyra", "luke"]
        assert [one.id for one in await known.find_experts(exclude=["luke", "Kyra"])] == [
            one for one in everybody if one not in ("luke", "kyra")
        ]
        full = known.availability("luke")
        assert (full.available, full.active_tasks) == (False, 5)
        assert full.reason == "Luke has 5 tasks, and takes 5 at once"
        await runtime.agents.set_status("max", "paused")
        assert known.availability("max").reason == "Max is paused"
        assert "max" not in [one.id for one in await known.find_experts()]
        with pytest.raises(NotFound):
            known.availability("nobody")
        with pytest.raises(NotFound):
            await known.find_experts(exclude=["nobody"])


async def test_running_turns_count(open_runtime: OpenRuntime) -> None:
    held = asyncio.Event()
    async with open_runtime(ScriptedModel(["First.", [Gate(held), "Second."]])) as runtime:
        async for _ in runtime.turns.ask(TurnRequest("One", agent="luke")):
            pass
        begun = await runtime.turns.submit(TurnRequest("Two", agent="luke"))
        seen = await runtime.mail.availability("luke")
        assert seen.available and seen.active_conversations == 1
        assert seen.estimated_wait_s > 0
        with runtime.turns.subscribe(turn=begun.turn) as events:
            held.set()
            while not isinstance(await events.next(), TurnFinished):
                pass
        assert (await runtime.mail.availability("luke")).estimated_wait_s == 0
