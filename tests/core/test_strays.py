"""Numbers that a reply has from nowhere."""

import pytest

from skill_agent.text.strays import strays

MATERIAL = "North | 1234.5678\nSouth | 0.123\nfirst sold 2026-03-14\nall 12,345,678, change -42"


@pytest.mark.parametrize(
    "reply",
    [
        "North sold 1,234.57.",
        "Der Norden verkaufte 1.234,57 €.",
        "El norte vendió 1 235 unidades.",
        "About 1,200, that is 1.23 thousand.",
        "South has 12.3 %, or 12%.",
        "Überall 12,3 Mio., in all 12 million or 12'345'678.",
        "The first was sold on 14.3.2026.",
        "Since 14 March 2026.",
        "It fell by 42.",
        "1. North\n2. South",
        "Q4 and A17 say nothing.",
        "The best 3 of them.",
        "No number at all.",
    ],
)
def test_the_same_number_however_it_is_written(reply: str) -> None:
    assert strays(reply, MATERIAL, "What are the best 3?") == []


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("North sold 1,299.", ["1,299"]),
        ("It fell by 43.", ["43"]),
        ("South has 13 %.", ["13"]),
        ("1234.6 and 77, and 77 again", ["77"]),
        ("some 1,500 pieces at 9.99 €", ["1,500", "9.99"]),
        ("on 15 March 2026", ["15"]),
        ("13 million", ["13"]),
    ],
)
def test_numbers_from_nowhere(reply: str, wanted: list[str]) -> None:
    assert strays(reply, MATERIAL) == wanted
