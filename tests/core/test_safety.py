import pytest

from skill_agent.text.redaction import masked, masked_but, masked_within, redact, redacted


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("OpenAI key", "sk-" + "a1B2" * 8),
        ("Anthropic key", "sk-ant-api03-" + "x" * 40),
        ("skill-agent key", "ska_" + "Z9" * 16),
        ("GitHub token", "ghp_" + "a" * 36),
        ("AWS access key id", "AKIA" + "ABCDEFGH12345678"),
        ("Telegram bot token", "123456789:" + "A" * 35),
        ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
    ],
)
def test_credentials_never_pass(kind: str, secret: str) -> None:
    assert (
        redact(f"call failed with {secret} today") == f"call failed with [redacted: {kind}] today"
    )


@pytest.mark.parametrize("text", ["api_key=hunter2hunter2", 'password: "correct horse"'])
def test_named_values_are_hidden(text: str) -> None:
    assert "[redacted: " in redact(text)
    assert "hunter2" not in redact(text) and "horse" not in redact(text)


@pytest.mark.parametrize(
    "text", ["the token budget is 2000", "sk-1", "I deploy on Fridays", "secret: tea"]
)
def test_plain_talk_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_a_mask_keeps_what_its_owner_knows_it_by() -> None:
    key = "ghp_" + "a1B2" * 9
    assert masked(f"push with {key}, please") == "push with [GitHub token …a1B2], please"
    assert masked("my password is hunter2!") == "my password is [password]"


def test_a_private_key_goes_whole() -> None:
    body = "\n".join(["MIIEpAIBAAKCAQEA7bq" + "Ab3" * 15] * 4)
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    assert masked(f"here:\n{key}\nthanks") == "here:\n[private key]\nthanks"
    torn = key[:200]
    assert masked(f"here:\n{torn}") == "here:\n[private key]"


def test_what_was_allowed_stays() -> None:
    one, other = "ghp_" + "a1B2" * 9, "ghp_" + "c3D4" * 9
    assert masked_but(f"{one} {other}", frozenset({one})) == f"{one} [GitHub token …c3D4]"


def test_a_name_in_a_table_tells_of_its_value() -> None:
    told = {"query": "x", "api_key": "hunter2hunter2", "deep": ["sk-" + "a1B2" * 8], "count": 3}
    assert redacted(told) == {
        "query": "x",
        "api_key": "[redacted: API key]",
        "deep": ["[redacted: OpenAI key]"],
        "count": 3,
    }
    assert masked_within(told)["deep"] == ["[OpenAI key …a1B2]"]


def test_a_first_letter_made_a_capital_hides_nothing() -> None:
    assert masked("Ghp_" + "a1B2" * 9) == "[GitHub token …a1B2]"
    assert masked("Sk-" + "a1B2" * 9) == "[OpenAI key …a1B2]"
