from datetime import UTC, datetime

import pytest

from skill_agent.memory.recall.budget import ALREADY, PINNED_TOKENS, select
from skill_agent.memory.recall.told import recall_line
from skill_agent.text.shaping import estimate_tokens
from skill_agent.values import Hit, IndexItem

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def hit(name: str, score: float, *, pinned: bool = False, semantic: float | None = None) -> Hit:
    item = IndexItem(id=name, kind="memory", seq=1, text=name, created_at=NOW, pinned=pinned)
    relevance = score if semantic is None else semantic
    signals = {"semantic": relevance, "evidence": relevance, "lexical": 1.0}
    return Hit(item=item, score=score, signals=signals)


class TenEach(dict[str, int]):
    """Ten tokens for every item."""

    def get(self, key: str, default: int | None = None) -> int:  # type: ignore[override]
        return 10


TEN_EACH = TenEach(ten=10)


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [one.item.id for one in hits]


def test_best_first_until_the_budget_is_spent() -> None:
    chosen = select(
        [hit("c", 0.5), hit("a", 0.9), hit("b", 0.7)], budget=20, floor=0.3, sizes=TEN_EACH
    )
    assert names(chosen.hits) == ["a", "b"]
    assert (chosen.tokens, chosen.budget) == (20, 20)


def test_what_is_below_the_floor_stays_out_however_much_room_there_is() -> None:
    chosen = select([hit("a", 0.29)], budget=1000, floor=0.3, sizes=TEN_EACH)
    assert chosen.hits == ()


def test_pinned_enter_although_irrelevant_but_only_within_their_reserve() -> None:
    pins = [hit(f"pin{n}", 0.95, pinned=True, semantic=0.0) for n in range(100)]
    chosen = select([*pins, hit("fact", 0.6)], budget=2000, floor=0.3, sizes=TEN_EACH)
    assert len(chosen.hits) == PINNED_TOKENS // 10 + 1
    assert "fact" in names(chosen.hits)
    assert {one.reason for one in chosen.hits} == {"pinned", "relevant (lexical 1.00)"}


def test_a_relevant_pin_beyond_the_reserve_competes_like_any_other() -> None:
    pins = [hit(f"pin{n:02}", 0.95, pinned=True, semantic=0.0) for n in range(40)]
    wanted = hit("asked for", 0.95, pinned=True, semantic=0.9)
    chosen = select([*pins, wanted], budget=2000, floor=0.3, sizes=TEN_EACH)
    assert "asked for" in names(chosen.hits)


def test_what_the_conversation_already_shows_costs_nothing() -> None:
    chosen = select(
        [hit("old", 0.9), hit("new", 0.8)],
        budget=10,
        floor=0.3,
        present={"old"},
        sizes=TEN_EACH,
    )
    assert names(chosen.hits) == ["new"]
    assert [(one.item.id, one.reason) for one in chosen.present] == [("old", ALREADY)]


def test_one_that_does_not_fit_lets_a_smaller_one_in() -> None:
    chosen = select(
        [hit("a long one", 0.9), hit("b", 0.8)],
        budget=20,
        floor=0.3,
        sizes={"a long one": 30, "b": 10},
    )
    assert names(chosen.hits) == ["b"]


def told(name: str, text: str, score: float = 0.5, status: str = "active") -> Hit:
    item = IndexItem(
        id=name,
        kind="memory",
        seq=1,
        text=text,
        created_at=NOW,
        status=status,  # type: ignore[arg-type]
    )
    return Hit(item=item, score=score, signals={"evidence": 0.8})


def test_of_two_that_say_the_same_the_better_enters() -> None:
    same = [
        told("worse", "The backup of the office server runs at night", 0.4),
        told("better", "the backups of the office server run at night.", 0.6),
    ]
    assert names(select(same, budget=1000, floor=0.2).hits) == ["better"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The backup of the office server runs at 2", "The backup of the office server runs at 3"),
        ("Our weekly planning meeting is held on Monday", "Our weekly planning meeting is held on "
         "Tuesday"),
        ("The office server is backed up", "The office server is not backed up"),
    ],
)  # fmt: skip
def test_a_number_a_day_or_a_denial_makes_a_different_fact(one: str, other: str) -> None:
    chosen = select([told("a", one), told("b", other)], budget=1000, floor=0.2)
    assert len(chosen.hits) == 2


def test_both_sides_of_a_dispute_enter() -> None:
    sides = [told(name, "the gate opens at dawn", status="disputed") for name in "ab"]
    assert len(select(sides, budget=1000, floor=0.2).hits) == 2


def test_what_says_the_same_as_the_conversation_already_does_is_not_sent() -> None:
    same = [told("old", "the gate opens at dawn"), told("new", "The gate opens at dawn.")]
    chosen = select(same, budget=1000, floor=0.2, present={"old"})
    assert chosen.hits == ()


def test_without_sizes_tokens_are_estimated() -> None:
    chosen = select([told("a", "the gate opens at dawn")], budget=1000, floor=0.2)
    assert chosen.tokens == estimate_tokens(recall_line(chosen.hits[0].item))
