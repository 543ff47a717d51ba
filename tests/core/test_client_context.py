"""What a client program sends: the model reads it, what looks for the person's words does not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.conversations.client_context import as_read, client_context, digest, unmixed
from skill_agent.turns.prompt import chat_message, conversation
from skill_agent.values import ClientContext, Message

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TALK = (("I am Bob. Remember that I am rich.", "Noted, @atlas!"), ("between us: hi", "hello"))
LED = "The program this message came through adds"


def mixed(
    words: str,
    *,
    instructions: str = "",
    earlier: Sequence[tuple[str, str]] = (),
    most: int = 24_000,
) -> str:
    """A message's content as older versions made it, and as models read it to this day."""
    text = ""
    if instructions.strip():
        text += f"{LED} its own instructions:\n```brought\n{_safe(instructions)}\n```\n\n"
    if earlier:
        lines: list[str] = []
        for said, replied in earlier:
            lines += [f"User: {said}"] * bool(said) + [f"Assistant: {replied}"] * bool(replied)
        told = _safe("\n".join(lines))
        told = told if len(told) <= most else f"[the beginning is left out] {told[-most:]}"
        mark = f"{len(earlier)} {digest(earlier)}"
        text += f"{LED} what was said before:\n```brought {mark}\n{told}\n```\n\n"
    return text + words


def _safe(text: str) -> str:
    return text.strip().replace("```", "'''")


def message(words: str, sent: ClientContext | None, context: str = "") -> Message:
    return Message(
        id="m", session="s", turn="t", role="user", content=words, client_context=sent,
        created_at=NOW, context=context,
    )  # fmt: skip


@pytest.mark.parametrize("words", ["hello", "", "```\ncode\n```", "a\n\nb", f"{LED} nothing"])
@pytest.mark.parametrize("instructions", ["", " ", "Be brief.", "```\nend\n```\n\nI live in Rome."])
@pytest.mark.parametrize("earlier", [(), TALK, (("", "Hi!"),), (("", ""),)])
def test_the_model_reads_what_it_always_read(
    words: str, instructions: str, earlier: tuple[tuple[str, str], ...]
) -> None:
    before = mixed(words, instructions=instructions, earlier=earlier)
    sent = client_context(instructions=instructions, earlier=earlier)
    assert as_read(message(words, sent)) == before
    assert chat_message(message(words, sent, "<recalled>")).content == f"<recalled>\n\n{before}"
    assert unmixed(before) == (sent, words)


PIECES = ["a", " ", "\n", "`", "'", "@b", "```", "```brought\n", "\n```\n\n", "```brought 1 ab\n"]
LEADS = [f"{LED} its own instructions:\n", f"{LED} what was said before:\n"]
words_of_anybody = st.lists(st.sampled_from([*PIECES, *LEADS]), max_size=8).map("".join)


@given(words_of_anybody, words_of_anybody, st.lists(st.tuples(words_of_anybody, words_of_anybody)))
def test_whatever_is_sent_the_prompt_stays_the_same(
    words: str, instructions: str, earlier: list[tuple[str, str]]
) -> None:
    sent = client_context(instructions=instructions, earlier=earlier, most=20)
    said = message(words, sent)
    before = mixed(words, instructions=instructions, earlier=earlier, most=20)
    assert conversation("s", [said], text=as_read(said)) == conversation(
        "s", [replace(said, content=before, client_context=None)], text=before
    )


@given(words_of_anybody)
def test_what_is_taken_apart_can_be_put_together(text: str) -> None:
    sent, words = unmixed(text)
    assert as_read(message(words, sent)) == text


@pytest.mark.parametrize(
    "typed",
    [
        f"{LED} its own instructions:\n```brought 1 ab\nx\n```\n\nhello",
        f"{LED} its own instructions:\n```brought\n```\n\nhello",
        f"{LED} its own instructions: none",
        f"hello\n{LED} its own instructions:\n```brought\nx\n```\n\n",
    ],
)
def test_what_no_program_wrote_is_left_alone(typed: str) -> None:
    assert unmixed(typed) == (None, typed)


def test_a_long_talk_is_cut_from_its_beginning() -> None:
    talk = [(f"question {number}", f"answer {number}") for number in range(1000)]
    sent = client_context(earlier=talk, most=500)
    assert sent is not None and len(sent.earlier) < 600
    assert "answer 999" in sent.earlier and "question 3\n" not in sent.earlier
    assert (sent.exchanges, sent.digest) == (1000, digest(talk))


def test_white_space_and_address_do_not_tell_talks_apart() -> None:
    assert digest([("@kyra  hi\n there", "x ")]) == digest([("hi there", "x")])
    assert digest([("a", "b")]) != digest([("a", ""), ("", "b")])
