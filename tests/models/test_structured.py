"""Answers that must be JSON: held back, checked, asked for once more."""

import json

import pytest
from listening import Heard, user

from skill_agent.errors import ModelFailed, ModelRejected
from skill_agent.models.scripted import ScriptedModel
from skill_agent.models.structured import bare, checked, problem
from skill_agent.ports import EndPart, ModelRequest, StatusPart, TextPart
from skill_agent.values import Usage

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ASK = ModelRequest(messages=(user("a number"),), response_schema=SCHEMA)


async def answered(model: ScriptedModel) -> Heard:
    heard = Heard()
    async for part in checked(model.stream, ASK):
        match part:
            case TextPart():
                heard.pieces.append(part.text)
            case StatusPart():
                heard.status.append(part.text)
            case EndPart():
                heard.ends.append(part)
            case _:
                pass
    return heard


async def test_a_right_answer_comes_in_one_piece() -> None:
    heard = await answered(ScriptedModel([["{", '"n": 1', "}"]]))
    assert heard.pieces == ['{"n": 1}']


@pytest.mark.parametrize("first", ["no json", '{"n": "one"}', "[]", '{"n": 1'])
async def test_a_wrong_answer_is_shown_to_the_model_once(first: str) -> None:
    model = ScriptedModel([[first], ['{"n": 2}']])
    heard = await answered(model)
    assert json.loads(heard.text) == {"n": 2}
    assert len(heard.status) == 1
    again = model.requests[1].messages
    assert again[-2].content == first
    assert "cannot be used" in again[-1].content
    assert heard.end.usage.completion_tokens > 0


async def test_an_answer_cut_off_is_never_trusted() -> None:
    end = EndPart(usage=Usage(), finish="length")
    model = ScriptedModel([['{"n": 1}', end], ['{"n": 2}']])
    assert json.loads((await answered(model)).text) == {"n": 2}


async def test_two_wrong_answers_are_a_failure() -> None:
    with pytest.raises(ModelFailed, match="is not of type 'integer'"):
        await answered(ScriptedModel([['{"n": "a"}'], ['{"n": "b"}']]))


def test_a_schema_that_is_none_is_the_callers_fault() -> None:
    with pytest.raises(ModelRejected, match="schema is not valid"):
        problem("{}", {"type": "nonsense"})


def test_a_reference_out_of_the_schema_is_never_fetched() -> None:
    with pytest.raises(ModelRejected, match="names what is not in it"):
        problem("{}", {"$ref": "http://127.0.0.1:9/schema.json"})


def test_a_reference_within_the_schema() -> None:
    schema = {"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}
    assert problem("1", schema) == ""
    assert "not of type" in problem('"a"', schema)


def test_fences_are_taken_off() -> None:
    assert bare('```json\n{"n": 1}\n```') == '{"n": 1}'
    assert bare(' {"n": 1} ') == '{"n": 1}'
