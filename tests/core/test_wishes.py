"""What is wished for one reply: checked before anything begins, put where the model meets it."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.agents.dna import AgentDNA, ModelConfig
from skill_agent.errors import UsageError
from skill_agent.turns.wishes import checked_options, checked_wishes, tuned, with_wishes
from skill_agent.values import TurnRequest

OWN = {"top_p": 0.9, "top_k": 7}
KYRA = AgentDNA(slug="kyra", name="Kyra", model=ModelConfig(provider_overrides=OWN))


def test_without_options_the_agent_is_itself() -> None:
    assert tuned(KYRA, None) is KYRA
    assert tuned(KYRA, {}) is KYRA


def test_options_stand_over_the_agents_own() -> None:
    model = tuned(KYRA, {"temperature": 0, "max_completion_tokens": 9, "top_p": 0.1}).model
    assert (model.temperature, model.max_output_tokens) == (0.0, 9)
    assert model.provider_overrides == {"top_p": 0.1, "top_k": 7}
    assert KYRA.model.provider_overrides == OWN


def test_what_only_some_servers_know_goes_into_the_body() -> None:
    overrides = tuned(KYRA, {"mirostat": 2}).model.provider_overrides
    assert overrides == {**OWN, "extra_body": {"mirostat": 2}}


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("api_base", r"config\.toml: \[models\] api_base"),
        ("base_url", r"config\.toml: \[models\] api_base"),
        ("extra_headers", r"config\.toml"),
        ("custom_llm_provider", r"config\.toml"),
        ("api_key", "environment"),
        ("aws_secret_access_key", "environment"),
        ("model", "model_name"),
        ("messages", "such as"),
        ("tools", "such as"),
        ("extra_body", "such as"),
        ("mock_response", "such as"),
        ("temprature", 'did you mean "temperature"'),
    ],
)
def test_what_is_no_sampling_is_refused_with_its_right_place(name: str, where: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is no option of a reply") as refused:
        tuned(KYRA, {name: "x"})
    assert re.search(where, refused.value.hint)


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
        ({"top_p": float("nan")}, "top_p is a number from 0 to 1, not nan"),
        ({"top_k": float("inf")}, "top_k is no value that can be sent: inf"),
        ({"seed": 10**5000}, "seed is a whole number, not that"),
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
