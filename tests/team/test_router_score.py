"""The figure of how hard a message is, and its tiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.agents.tiers import TIERS
from skill_agent.team.router.examples import examples
from skill_agent.team.router.score import BORDERS, WEIGHTS, complexity_of, overall, tier_of
from skill_agent.team.router.scorer import likely

FIGURES = st.lists(st.floats(0, 10), min_size=5, max_size=5)


@pytest.mark.parametrize(
    ("dimensions", "figure", "tier"),
    [
        ((1, 1, 0.5, 0, 1), 0.75, "fast"),
        ((9, 8, 7, 6, 8), 7.8, "powerful"),
        ((3, 3, 3, 3, 3), 3.0, "fast"),
        ((3.2, 3, 3, 3, 3), 3.06, "balanced"),
        ((6, 6, 6, 6, 6), 6.0, "balanced"),
        ((6.2, 6, 6, 6, 6), 6.06, "powerful"),
        ((0, 0, 0, 0, 0), 0.0, "fast"),
        ((10, 10, 10, 10, 10), 10.0, "powerful"),
    ],
)
def test_worked_examples(dimensions: tuple[float, ...], figure: float, tier: str) -> None:
    found = overall(complexity_of(dimensions))
    assert (found, tier_of(found)) == (figure, tier)


def test_the_weights_are_whole() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


@given(figures=FIGURES, at=st.integers(0, 4), more=st.floats(0, 10))
def test_a_harder_message_is_no_lower(figures: list[float], at: int, more: float) -> None:
    harder = [*figures]
    harder[at] = min(10.0, harder[at] + more)
    before, after = overall(complexity_of(figures)), overall(complexity_of(harder))
    assert 0 <= before <= after <= 10
    assert TIERS.index(tier_of(before)) <= TIERS.index(tier_of(after))


@given(figure=st.floats(0, 10), spread=st.floats(0.1, 3))
def test_the_likely_tiers_are_all_there_is(figure: float, spread: float) -> None:
    found = likely(figure, spread)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= 0
    if min(abs(figure - border) for border in BORDERS) > 3 * spread:
        assert max(found, key=lambda tier: found[tier]) == tier_of(figure)


def test_the_examples_stand_on_all_tiers_in_every_file() -> None:
    found = examples()
    assert len(found) > 500
    counts = dict.fromkeys(TIERS, 0)
    for one in found:
        counts[tier_of(overall(one.complexity))] += 1
    assert min(counts.values()) > 100
    assert len({one.text for one in found}) == len(found), "no message stands twice"
