import pytest

from skill_agent.text.redaction import redact


@pytest.mark.parametrize(
    "secret",
    [
        "sk-" + "a1B2" * 8,
        "sk-ant-api03-" + "x" * 40,
        "ska_" + "Z9" * 16,
        "ghp_" + "a" * 36,
        "AKIA" + "ABCDEFGH12345678",
        "123456789:" + "A" * 35,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    ],
)
def test_credentials_never_pass(secret: str) -> None:
    told = redact(f"call failed with {secret} today")
    assert secret not in told
    assert told.startswith("call failed with [redacted]")


@pytest.mark.parametrize("text", ["api_key=hunter2hunter2", 'password: "correct horse"'])
def test_named_values_are_hidden(text: str) -> None:
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    "text", ["the token budget is 2000", "sk-1", "I deploy on Fridays", "secret: tea"]
)
def test_plain_talk_is_left_alone(text: str) -> None:
    assert redact(text) == text
