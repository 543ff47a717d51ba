"""What is recognised as a credential, on labelled texts, and that no text makes it slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_samples import samples

from skill_agent.text.redaction import masked, redact
from skill_agent.text.secrets.credentials import secrets_in

RECALL, FALSE_ALARMS = 0.95, 0.03


@pytest.mark.parametrize("part", ["build", "choose", "final"])
def test_labelled_texts(part: str) -> None:
    texts = samples(part)
    wanted = [(one, secret) for one in texts for secret in one.secrets]
    missed = [secret for one, secret in wanted if secret in masked(one.text)]
    plain = [one.text for one in texts if not one.secrets]
    alarms = [text for text in plain if secrets_in(text)]
    assert len(missed) <= len(wanted) * (1 - RECALL), missed
    assert len(alarms) <= len(plain) * FALSE_ALARMS, alarms


@pytest.mark.parametrize("part", ["build", "choose", "final"])
def test_what_was_masked_stays_as_it_is(part: str) -> None:
    for one in samples(part):
        for once in (masked(one.text), redact(one.text)):
            assert masked(once) == once and redact(once) == once


PIECES = [
    "sk-", "ghp_", "eyJ", "eyJabcdefghijk.", "AKIA", "://", "://a:", "@", "password", "password ",
    "password is ", 'password="', "password: '", "token=", "key ", "Bearer ", "basic aaaaaaaa ",
    "-----BEGIN PRIVATE KEY-----\n", "-----END ", "curl -u ",
    ":", ".aaaaaa", "12345678:", "\\",
    "seed phrase: abcd ", "密码是", "İ", "[password", "[password]", "…", "\ud800", "a", "A1", " ",
    "\n", "hunter2", "Tr0ub4dor&3", " is ", ": ", '\\"', "api key", "mot de passe", "://u:", "@h",
    "[redacted: password]", "[GitHub token …a1B2]", "Authorization: ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_spans_are_apart_and_within(text: str) -> None:
    at = 0
    for one in secrets_in(text):
        assert at <= one.start < one.end <= len(text)
        at = one.end
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize("piece", PIECES)
def test_no_text_makes_it_slow(piece: str) -> None:
    """Four times the text takes about four times as long, whatever is repeated in it."""

    def seconds(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        begun = time.process_time()
        secrets_in(text)
        return time.process_time() - begun

    secrets_in("password is x")  # reads its data
    short = max(min(seconds(30_000) for _ in range(2)), 0.004)
    assert seconds(120_000) / short < 12
