"""Whether a reply has run into a loop."""

import pytest

from skill_agent.models.local.loops import loops

ALIKE = "The function does not handle the case of {}. "


@pytest.mark.parametrize(
    "text",
    [
        "¡" * 200,
        "and so on, " * 12,
        "".join(f"{n}. It is a house animal.\n" for n in range(9)),
        "Fine. " + "".join(ALIKE.format(one) for one in ("a file", "a folder", "a pipe", "a link")),
    ],
)
def test_a_loop_is_found(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 3,
        "-" * 100,
        "".join(f"x{n} = {n}\n" for n in range(5)),
        "".join(f"- {one}: a few words about it.\n" for one in ("tea", "bread", "soup", "rice")),
        "".join(ALIKE.format(one) for one in ("a file", "a folder")),
        "Ho ho ho, it is Christmas again, and we all sing.",
    ],
)
def test_what_repeats_with_reason_is_none(text: str) -> None:
    assert not loops(text)
