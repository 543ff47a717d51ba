"""Whatever once came into a log: what is folded from notes can be asked for, and taken along."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from fakes import HashEmbedder, StepClock
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_process import open_in_process

from skill_agent.agents.pages import figures
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import NewWebhook
from skill_agent.webhooks.webhooks import Webhooks
from skill_agent.workstation import wire

KINDS = (
    "usage", "feedback", "recalled", "compacted", "checked", "consolidated", "expired", "standing",
    "extraction.queued", "extraction.started", "extraction.failed", "extraction.done",
    "team.collaboration", "team.seat", "team.seated", "team.handoff", "job", "job.run", "job.said",
    "job.clock", "unheard of", "inbox.item", "inbox.way", "inbox.mark", "webhook.progress",
    "agents.status", "conversation.ended", "conversation.marked", "conversation.branched",
    "work.state", "question", "bridge.chat", "bridge.owed", "bridge.sent", "skill.active",
    "skill.used", "outside.session", "mcp.tool",
)  # fmt: skip
KEYS = (
    "session", "model", "prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd",
    "first_token_s", "total_s", "rating", "net", "moved", "judged", "agent", "memories", "message",
    "block", "scores", "reasons", "up_to", "turn", "messages", "summary", "merged", "from", "to",
    "trigger", "attempts", "next_try", "error", "passes", "created", "text", "change", "status",
    "stage", "goal", "at", "id", "move", "lead", "next", "after", "kept", "reason",
    "context_summary", "job", "state", "fence", "due", "last_due", "fire_times", "said", "since",
    "until", "beyond", "removed", "then", "by_hand", "schedule", "made", "title", "sort", "ways",
    "target", "read_at", "archived_at", "private", "head", "failing", "problem", "failed",
    "dropped", "taken_at", "lines", "statuses", "changed", "duration_s", "open", "untold", "marks",
    "work", "about", "asked", "whole", "tool", "version", "program", "folder", "digest", "parts",
    "pinned", "archived", "turns", "key",
)  # fmt: skip
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(2**70),
    st.just(-5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [
            "up",
            "idle",
            "begun",
            "output",
            "9999-12-31T23:59:59Z",
            "2026-11-20T09:00:00.000000Z",
            "running",
            "missed",
            "expire",
            "2026-11-30T09:00:00.000000Z",
            "pending",
            "leads",
            "left",
            "luke",
            "skill_weather",
            "SESSION",
            "MEMORY",
            "MESSAGE",
        ]
    ),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(("MEMORY", "MESSAGE", "x")), inner, max_size=3)
    ),
    max_leaves=6,
)
PAYLOADS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=12) | VALUES
_HOOK = NewWebhook(url="https://hook.invalid/")
NOTES = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(
        (
            "SESSION",
            "MEMORY",
            "MESSAGE",
            "WEBHOOK",
            "agents",
            "x",
            "telegram/1",
            "kyra/weather",
        )
    ),
    PAYLOADS,
)


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.generate),  # a home for each example: too dear to look for less
)
@given(notes=st.lists(NOTES, min_size=10, max_size=40), seed=st.integers(0, 2**32))
def test_no_note_stands_in_the_way(
    tmp_path_factory: Any, notes: list[tuple[str, str, Any]], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("notes")
    asyncio.run(_live(folder, notes, random.Random(seed)))


async def _live(folder: Path, notes: list[tuple[str, str, Any]], chance: random.Random) -> None:
    def opened() -> Any:
        return open_in_process(
            folder / "home", create=True, embedder=HashEmbedder(), clock=StepClock(),
            gateway=ScriptedGateway(ScriptedModel(otherwise="Yes.")),
        )  # fmt: skip

    async with opened() as runtime:
        names = await _said(runtime)
        for kind, entity, payload in notes:
            told = json.loads(_named(json.dumps(payload), names))
            await runtime.ledger.note(kind, names.get(entity, entity), actor="kyra", data=told)
            if chance.random() < 0.1:
                await _looked_at(runtime, names)
        await _looked_at(runtime, names)
        told = await runtime.user_data.export(str(folder / "me.zip"))
        plan = await runtime.user_data.plan_import(str(folder / "me.zip"), trust=True)
        assert sum(plan.notes.values()) == told.counts["notes"] + told.counts["usage"]
    async with opened() as runtime:  # nothing of it in memory any more
        await _looked_at(runtime, names)
        await _answered(runtime, names)


async def _said(runtime: Runtime) -> dict[str, str]:
    kept = await runtime.memory.add("The gym opens at six")
    async for _ in runtime.ask("When does the gym open?"):
        pass
    session = await runtime.conversations.find("latest")
    asked, _ = await runtime.conversations.messages(session.id)
    (hook,) = await runtime.webhooks.list() or [await runtime.webhooks.add(_HOOK)]
    return {"SESSION": session.id, "MEMORY": kept.id, "MESSAGE": asked.id, "WEBHOOK": hook.id}


def _named(text: str, names: dict[str, str]) -> str:
    for word, name in names.items():
        text = text.replace(word, name)
    return text


async def _looked_at(runtime: Runtime, names: dict[str, str]) -> None:
    session, memory, message = names["SESSION"], names["MEMORY"], names["MESSAGE"]
    answers = [
        await runtime.figures.usage(),
        await runtime.figures.counts(),
        await runtime.seats.list(session),
        await runtime.seats.history(session),
        await figures(runtime.ledger),
        await runtime.feedback.of([message]),
        await runtime.summaries.list(session),
        await runtime.extractions.list(),
        await runtime.upkeep.status("consolidate"),
        await runtime.upkeep.status("expire"),
        await runtime.conversations.list(),
        await runtime.conversations.list(archived=True),
        await runtime.conversations.list(pinned=True),
        await runtime.conversations.messages(session),
        await runtime.memory.log(memory),
        await runtime.memory.story(memory),
        await runtime.memory.list(),
        await runtime.user_data.plan_purge(),
        await runtime.collaborations.list(),
        await runtime.jobs.list(),
        await runtime.jobs.history("expire"),
        await runtime.inbox.list(),
        await runtime.inbox.list(unread=True),
        await runtime.inbox.standing(),
        await runtime.webhooks.list(),
        *[await runtime.webhooks.log(one.id) for one in await runtime.webhooks.list()],
        await runtime.work.list(),
        await runtime.skill_tools.list(),
        await runtime.skill_tools.tools("kyra"),
        len(await runtime.bridges.host_side().chats.owed()),
    ]
    for answer in answers:
        json.loads(wire.encode(answer))
    assert (await runtime.memory.verify()).problems == ()


async def _answered(runtime: Runtime, names: dict[str, str]) -> None:
    async for _ in runtime.ask("And when does it close?", session=names["SESSION"]):
        pass
    asked, replied, *_ = await runtime.conversations.messages(names["SESSION"], last=2)
    assert (asked.content, replied.content) == ("And when does it close?", "Yes.")
    result = await runtime.feedback.rate("latest", "up")
    assert result.rating == "up"
    await runtime.extractions.run(names["SESSION"])
    await runtime.upkeep.consolidate(dry_run=True)
    hooks = runtime.webhooks
    assert isinstance(hooks, Webhooks)
    await hooks.look()
    await hooks.settle()
