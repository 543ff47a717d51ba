"""What is wished for one reply: checked before anything begins, put where the model meets it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.agents.dna import AgentDNA, ModelConfig
from skill_agent.errors import UsageError
from skill_agent.turns.wishes import checked_options, checked_wishes, tuned, with_wishes
from skill_agent.values import TurnRequest

OWN = {"top_p": 0.9, "api_version": "7"}
KYRA = AgentDNA(slug="kyra", name="Kyra", model=ModelConfig(provider_overrides=OWN))


def test_without_options_the_agent_is_itself() -> None:
    assert tuned(KYRA, None) is KYRA
    assert tuned(KYRA, {}) is KYRA


def test_options_stand_over_the_agents_own() -> None:
    model = tuned(KYRA, {"temperature": 0, "max_completion_tokens": 9, "top_p": 0.1}).model
    assert (model.temperature, model.max_output_tokens) == (0.0, 9)
    assert model.provider_overrides == {"top_p": 0.1, "api_version": "7"}
    assert KYRA.model.provider_overrides == OWN


@pytest.mark.parametrize(
    "name", ["api_base", "api_key", "extra_headers", "mock_response", "mirostat"]
)
def test_a_name_nobody_knows_goes_into_the_body_alone(name: str) -> None:
    """A client's arguments hold addresses and keys, which whoever may chat must not set."""
    overrides = tuned(KYRA, {name: "x"}).model.provider_overrides
    assert overrides == {**OWN, "extra_body": {name: "x"}}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": "hot"}, "temperature is a number from 0 to 2, not 'hot'"),
        ({"temperature": 3}, "from 0 to 2, not 3"),
        ({"temperature": True}, "not True"),
        ({"top_p": -0.1}, "top_p is a number from 0 to 1"),
        ({"max_tokens": 0}, "max_tokens is a whole number from 1 up, not 0"),
        ({"max_tokens": 1.5}, "not 1.5"),
        ({"seed": "x"}, "seed is a whole number, not 'x'"),
        ({"stop": ""}, "stop is a text or several"),
        ({"stop": [1]}, "stop is a text or several"),
        ({"model": "other"}, "model is no option"),
        ({"messages": []}, "messages is no option"),
        ({"": 1}, "an empty name is no option"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        checked_wishes(TurnRequest("hi", options=options))


@given(
    st.dictionaries(
        st.sampled_from(["temperature", "max_tokens", "seed", "stop", "top_p", "n", "x", ""]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    )
)
def test_options_are_taken_or_refused_and_never_fall(options: dict[str, Any]) -> None:
    try:
        checked = checked_options(options)
    except UsageError:
        return
    assert checked_options(checked) == checked
    assert 0 <= checked.get("temperature", 0) <= 2


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"properties": 5}, {"required": "name"}, {"$schema": 7}]
)
def test_a_schema_that_is_none(schema: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no JSON schema"):
        checked_wishes(TurnRequest("hi", response_schema=schema))


def test_wishes_stand_beside_the_words() -> None:
    assert with_wishes("hi", TurnRequest("hi")) == "hi"
    wished = TurnRequest("hi", system=" Be brief. ", response_schema={"type": "object"})
    assert with_wishes("hi", wished) == (
        "Instructions for this reply:\nBe brief.\n\nhi\n\n"
        'Answer with nothing but JSON that satisfies this JSON schema: {"type":"object"}'
    )
