"""What is asked by mistake leaves nothing behind: no conversation, no message, no row at all."""

from base64 import b64encode

import pytest
from fakes import HashEmbedder, OpenRuntime
from in_process import open_in_process

from skill_agent.errors import ModelUnavailable, SkillAgentError
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Attachment, Image, TurnRequest

PNG = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()

MISTAKES = {
    "nothing": TurnRequest(""),
    "blanks": TurnRequest(" \n\t "),
    "an empty text beside no words": TurnRequest(
        "", attachments=(Attachment("  ", origin="file"),)
    ),
    "too long": TurnRequest("x" * 10_000_001),
    "no text": TurnRequest("a\0b"),
    "half a sign": TurnRequest("a\ud83d"),
    "an unknown agent": TurnRequest("hi", agent="kira"),
    "a paused agent": TurnRequest("hi", agent="luke"),
    "a paused agent mentioned": TurnRequest("@luke hi"),
    "an unknown conversation": TurnRequest("hi", session="nowhere"),
    "a key that is none": TurnRequest("hi", key="mine"),
    "an image that is none": TurnRequest("hi", images=(Image(data="AAAA"),)),
    "an image for a blind model": TurnRequest("hi", images=(Image(data=PNG),)),
    "a schema that is none": TurnRequest("hi", response_schema={"type": 3}),
    "an option that cannot be": TurnRequest("hi", options={"temperature": "hot"}),
}


async def kept(runtime: Runtime) -> tuple[object, ...]:
    """All that could be left behind."""
    return await runtime.ledger.last_seq(), await runtime.ledger.counts()


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_mistake_leaves_nothing(open_runtime: OpenRuntime, home: Home, name: str) -> None:
    async with open_runtime(ScriptedModel(otherwise="ok")) as runtime:
        await runtime.agents.set_status("luke", "paused")
        before = await kept(runtime)
        with pytest.raises(SkillAgentError) as refused:
            await runtime.turns.submit(MISTAKES[name])
        assert refused.value.message
        with pytest.raises(SkillAgentError):
            async for _ in runtime.turns.ask(MISTAKES[name]):
                pass
        assert await kept(runtime) == before
        assert await runtime.turns.list() == []
        unfinished = home.unfinished
        assert not unfinished.exists() or not list(unfinished.iterdir())


class Refusing(ScriptedGateway):
    """Knows beforehand that a model cannot answer."""

    def check(self, name: str) -> None:
        raise ModelUnavailable("the model is not installed", hint="ska models pull it")


async def test_so_does_a_model_that_could_not_answer(home: Home) -> None:
    gateway = Refusing(ScriptedModel())
    opened = open_in_process(home.root, create=True, gateway=gateway, embedder=HashEmbedder())
    async with opened as runtime:
        before = await kept(runtime)
        with pytest.raises(ModelUnavailable, match="not installed"):
            await runtime.turns.submit("hi")
        assert await kept(runtime) == before
