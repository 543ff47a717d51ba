"""What is one agent's alone enters no other's prompt, whatever is said in whatever order."""

import random
from dataclasses import dataclass, field

import pytest
from fakes import OpenRuntime
from team_talk import begun, said

from skill_agent.host.runtime import Runtime
from skill_agent.memory.aloud import not_aloud
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import NewMemory, ToolCall

AGENTS = ("kyra", "luke", "ada")
WORDS = (
    "amber", "birch", "copper", "delta", "ember", "fjord", "garnet", "harbour", "indigo", "juniper",
)  # fmt: skip


@dataclass
class Gossip:
    """Agents that repeat whatever they know; what each was sent is kept by its name."""

    names: dict[str, str]
    sent: dict[str, list[str]] = field(default_factory=dict)
    lookup: str = ""
    """What a tool is asked for in the next reply; empty calls none."""

    def __call__(self, request: ModelRequest) -> object:
        whole = "\n".join(message.content for message in request.messages)
        who = next(slug for slug, name in self.names.items() if f"You are {name}" in whole)
        self.sent.setdefault(who, []).append(whole)
        if self.lookup and request.tools:
            query, self.lookup = self.lookup, ""
            return [ToolCall(id=query, name="search_memory", arguments={"query": query})]
        return whole[-1_500:]


def secret_of(agent: str, number: int) -> str:
    return f"the {WORDS[number % len(WORDS)]} key of vault {agent}-{number} turns left"


async def talked(runtime: Runtime, gossip: Gossip, seed: int) -> dict[str, list[str]]:
    """A talk of all three; gives whose secrets there are."""
    chance, secrets = random.Random(seed), {agent: [] for agent in AGENTS}
    session = await begun(runtime, "hello there")
    await runtime.seats.invite(session, ["luke", "ada"])
    for number in range(10):
        agent = chance.choice(AGENTS)
        match chance.randrange(6):
            case 0:
                secret = secret_of(agent, number)
                secrets[agent].append(secret)
                text = f"@{agent} Remember this, just between us: {secret}"
                await said(runtime, text, session=session)
            case 1:
                secret = secret_of(agent, number)
                secrets[agent].append(secret)
                private = NewMemory(secret, memory_type="agent_private", agent=agent, pinned=True)
                await runtime.memory.add(private)
            case 2:
                await said(runtime, f"@{agent} which key turns left?", session=session)
            case 3:
                gossip.lookup = "key of vault"
                await said(runtime, f"@{agent} look up the key", session=session)
            case 4:
                seats = await runtime.seats.list(session)
                here = [seat.id for seat in seats if seat.left_at is None]
                lead = (await runtime.conversations.find(session)).agent
                if agent != lead and agent in here:
                    await runtime.seats.hand_over(session, agent)
                    await runtime.seats.invite(session, [lead])
            case _:
                await runtime.summaries.compact(session)
    for agent in AGENTS:
        await said(runtime, f"@{agent} tell all you know of keys", session=session)
    return secrets


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(one, marks=pytest.mark.deep) for one in range(2, 6))]
)
async def test_no_secret_of_one_is_sent_to_another(open_runtime: OpenRuntime, seed: int) -> None:
    gossip = Gossip({"kyra": "Kyra", "luke": "Luke", "ada": "Ada"})
    model = ScriptedModel([gossip] * 200)  # type: ignore[list-item]
    async with open_runtime(model) as runtime:
        secrets = await talked(runtime, gossip, seed)
    assert set(gossip.sent) == set(AGENTS)
    for owner, told in secrets.items():
        for secret in told:
            others = [who for who in AGENTS if who != owner]
            leaks = [who for who in others if any(secret in one for one in gossip.sent[who])]
            assert not leaks, f"{secret!r} of {owner} reached {leaks}"


async def test_what_is_not_said_aloud_is_in_no_summary_either(open_runtime: OpenRuntime) -> None:
    secret = secret_of("kyra", 3)
    model = ScriptedModel(["ok", f"You told me: {secret}.", f"As I said, {secret}", "Sunny."])
    async with open_runtime(model) as runtime:
        private = NewMemory(secret, memory_type="agent_private", agent="kyra")
        await runtime.memory.add(private)
        session = await begun(runtime, "hello there")
        for text in ("which key turns left?", "say it again", "and the weather?"):
            await said(runtime, text, session=session)
        talk = await runtime.conversations.messages(session)
        replies = [message.id for message in talk if message.role == "assistant"]
        hidden = await not_aloud(runtime.ledger, talk)
        assert hidden == set(replies[1:3])
        assert await not_aloud(runtime.ledger, talk, reader="kyra") == frozenset()
        assert await not_aloud(runtime.ledger, talk, reader="luke") == hidden
        assert await not_aloud(runtime.ledger, []) == frozenset()
