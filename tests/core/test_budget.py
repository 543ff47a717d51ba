from datetime import UTC, datetime

from skill_agent.memory.budget import ALREADY, PINNED_TOKENS, select
from skill_agent.values import Hit, IndexItem

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def hit(name: str, score: float, *, pinned: bool = False, semantic: float | None = None) -> Hit:
    item = IndexItem(id=name, kind="memory", seq=1, text=name, created_at=NOW, pinned=pinned)
    relevance = score if semantic is None else semantic
    return Hit(item=item, score=score, signals={"semantic": relevance, "lexical": 0.7})


def ten_each(_line: str) -> int:
    return 10


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [one.item.id for one in hits]


def test_best_first_until_the_budget_is_spent() -> None:
    chosen = select(
        [hit("c", 0.5), hit("a", 0.9), hit("b", 0.7)], budget=20, floor=0.3, count=ten_each
    )
    assert names(chosen.hits) == ["a", "b"]
    assert (chosen.tokens, chosen.budget) == (20, 20)


def test_what_is_below_the_floor_stays_out_however_much_room_there_is() -> None:
    chosen = select([hit("a", 0.29)], budget=1000, floor=0.3, count=ten_each)
    assert chosen.hits == ()


def test_pinned_enter_although_irrelevant_but_only_within_their_reserve() -> None:
    pins = [hit(f"pin{n}", 0.95, pinned=True, semantic=0.0) for n in range(100)]
    chosen = select([*pins, hit("fact", 0.6)], budget=2000, floor=0.3, count=ten_each)
    assert len(chosen.hits) == PINNED_TOKENS // 10 + 1
    assert "fact" in names(chosen.hits)
    assert {one.reason for one in chosen.hits} == {"pinned", "relevant (lexical 0.70)"}


def test_a_relevant_pin_beyond_the_reserve_competes_like_any_other() -> None:
    pins = [hit(f"pin{n:02}", 0.95, pinned=True, semantic=0.0) for n in range(40)]
    wanted = hit("asked for", 0.95, pinned=True, semantic=0.9)
    chosen = select([*pins, wanted], budget=2000, floor=0.3, count=ten_each)
    assert "asked for" in names(chosen.hits)


def test_what_the_conversation_already_shows_costs_nothing() -> None:
    chosen = select(
        [hit("old", 0.9), hit("new", 0.8)],
        budget=10,
        floor=0.3,
        present={"old"},
        count=ten_each,
    )
    assert names(chosen.hits) == ["new"]
    assert [(one.item.id, one.reason) for one in chosen.present] == [("old", ALREADY)]


def test_one_that_does_not_fit_lets_a_smaller_one_in() -> None:
    chosen = select(
        [hit("a long one", 0.9), hit("b", 0.8)],
        budget=20,
        floor=0.3,
        count=lambda line: 30 if "long" in line else 10,
    )
    assert names(chosen.hits) == ["b"]


def test_what_is_far_behind_the_best_is_not_worth_its_tokens() -> None:
    chosen = select(
        [hit("a", 0.9), hit("b", 0.5), hit("c", 0.4)], budget=1000, floor=0.2, count=ten_each
    )
    assert names(chosen.hits) == ["a", "b"]
