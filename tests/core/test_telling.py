"""What of the recalled items a model gets to read."""

from datetime import UTC, datetime

import pytest

from skill_agent.memory.recall.question import is_reply, only_asks
from skill_agent.values import IndexItem


def turn(text: str, speaker: str = "user") -> IndexItem:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return IndexItem(id="t", kind="turn", seq=1, text=text, created_at=now, speaker=speaker)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("When do I deploy?", True),
        ("What goes with tomato soup? One sentence, please.", True),
        ("I moved to Bern last week with my dog. What should I see?", False),
        ("I deploy on Fridays", False),
        ("Is it cold? Is it wet?", True),
    ],
)
def test_a_question_tells_nothing(text: str, asks: bool) -> None:
    assert only_asks(turn(text)) is asks


def test_only_a_persons_question_counts() -> None:
    assert not only_asks(turn("Shall I book it?", speaker="kyra"))
    assert is_reply(turn("Shall I book it?", speaker="kyra"))
    assert not is_reply(turn("yes"))
