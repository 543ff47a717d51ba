"""Questions that ask for several things at once, in several languages; over real stores."""

from collections.abc import AsyncIterator

import pytest
from fakes import OpenRuntime

from skill_agent.host.runtime import Runtime
from skill_agent.memory.recall.parts import parts_of
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Search


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who teaches Theo and where is his concert?", 2),
        ("Wann kommt der Wagen, und wo bleibt das Klavier?", 2),
        ("Когда экзамен по химии и какой глубины скважина?", 2),
        ("钢琴送给了谁,我什么时候去考驾照?", 2),
        ("結婚式はいつで、自転車はどこで見つかりましたか？", 2),
        ("Who teaches Theo?", 0),
        ("the salt and pepper mill", 0),
        ("Hello, who teaches Theo?", 0),
    ],
)
def test_a_question_is_parted_where_each_part_could_be_asked_alone(
    question: str, parts: int
) -> None:
    assert len(parts_of(question)) == parts


@pytest.fixture
async def runtime(open_runtime: OpenRuntime) -> AsyncIterator[Runtime]:
    async with open_runtime(ScriptedModel(otherwise="understood")) as opened:
        yield opened


async def test_what_answers_one_part_only_counts_as_relevant(runtime: Runtime) -> None:
    told = ["the boiler man is called Rune", "ferry tickets cost eleven euros", "rain is likely"]
    await runtime.memory.import_rows([{"content": one} for one in told])
    asked = "boiler man called, and how much do all those ferry tickets to the islands cost us"
    found = await runtime.memory.search(Search(asked))
    relevant = {one.hit.item.text for one in found if one.relevant}
    assert set(told[:2]) <= relevant
    assert told[2] not in relevant
