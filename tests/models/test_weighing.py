"""One word of a few, and how sure a model is of each."""

import pytest

from skill_agent.errors import ModelFailed
from skill_agent.models.local.toolchoice import shares
from skill_agent.models.scripted import ScriptedModel
from skill_agent.models.weighing import weigh
from skill_agent.ports import ChatMessage, EndPart, ModelRequest
from skill_agent.values import Usage

ASKED = ModelRequest(
    messages=(ChatMessage(role="user", content="Is it so?"),), answers=("yes", "no"), max_tokens=1
)


async def test_a_model_that_tells_how_likely_each_is():
    end = EndPart(usage=Usage(), likely={"yes": 0.7, "no": 0.3})
    assert await weigh(ScriptedModel([["yes", end]]), ASKED) == {"yes": 0.7, "no": 0.3}


@pytest.mark.parametrize("said", ["yes", "Yes.", ' "YES"!', '{"answer": "yes"}'])
async def test_what_is_only_said_counts_whole(said: str):
    assert await weigh(ScriptedModel([said]), ASKED) == {"yes": 1.0, "no": 0.0}


@pytest.mark.parametrize("said", ["perhaps", "", "{", '{"answer": "perhaps"}', '{"other": 1}'])
async def test_anything_else_is_no_answer(said: str):
    with pytest.raises(ModelFailed, match="yes, no"):
        await weigh(ScriptedModel([said]), ASKED)


def test_an_answer_that_is_not_among_the_likeliest_counts_as_the_least_of_them():
    top = [{"id": 1, "logprob": -0.1}, {"id": 9, "logprob": -4.0}]
    likely = shares(top, {"yes": 1, "no": 2})
    assert sum(likely.values()) == pytest.approx(1.0)
    assert likely["yes"] > 0.9 > likely["no"] > 0
