"""Fusion, evidence and ranking as plain arithmetic."""

from typing import Any

import numpy as np
import pytest

from skill_agent.dna import MemorySettings
from skill_agent.memory.recall import (
    Candidates,
    Views,
    best,
    chosen,
    fuse,
    rank,
    relevance,
)
from skill_agent.memory.signals import importance, named_speakers, recency, session_prior


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def candidates(**given: Any) -> Candidates:
    size = len(next(iter(given.values())))
    nothing, no = np.zeros(size, np.float32), np.zeros(size, bool)
    fields: dict[str, Any] = {
        "fused": nothing, "cosine": nothing, "covered": nothing, "speaker": no,
        "session": np.full(size, -1), "recency": nothing, "importance": nothing,
        "continuity": nothing, "disputed": no, "retired": no, "kept": no,
    }  # fmt: skip
    return Candidates(**(fields | given))


def ranked(found: Candidates, linked: np.ndarray | None = None, **weights: float) -> Any:
    semantic, _ = relevance(found)
    return rank(found, semantic, np.zeros_like(semantic) if linked is None else linked, weights)


def test_fusion_normalises_each_view_over_what_is_visible() -> None:
    views = Views(
        dense=array(0.9, 0.4, -0.1, 0.99), dense_window=array(0.9, 0.4, -0.1, 0.99),
        lexical=array(0, 10, 5, 99), lexical_window=array(0, 10, 5, 99),
    )  # fmt: skip
    fused = fuse(views, np.array([True, True, True, False]))
    assert fused == pytest.approx([0.5, 0.75, 0.25, -1])


def test_fusion_survives_views_without_spread() -> None:
    flat, full = array(0, 0), array(0.4, 0.4)
    nothing = Views(dense=flat, dense_window=flat, lexical=flat, lexical_window=flat)
    assert not fuse(nothing, np.array([True, True])).any()
    matched = Views(dense=full, dense_window=full, lexical=full, lexical_window=full)
    assert (fuse(matched, np.array([True, True])) == 1).all()


@pytest.mark.parametrize("count", [2, 4, 10])
def test_best_gives_the_highest_first_and_never_the_hidden(count: int) -> None:
    assert best(array(0.1, 0.9, -1, 0.5), count).tolist() == [1, 3, 0][:count]


def test_little_evidence_means_a_low_score_even_for_the_first() -> None:
    sure = ranked(candidates(fused=array(0.9, 0.2), cosine=array(0.6, 0.3), covered=array(1, 0)))
    vague = ranked(candidates(fused=array(0.9, 0.2), cosine=array(0.25, 0.2), covered=array(0, 0)))
    assert sure.score[0] > 0.6
    assert vague.score[0] < MemorySettings().relevance_floor


def test_a_named_speaker_and_a_good_session_lift() -> None:
    even = {"fused": array(0.5, 0.5), "cosine": array(0.5, 0.5)}
    assert ranked(candidates(**even, speaker=np.array([False, True]))).order[0] == 1
    together = candidates(
        fused=array(0.5, 0.5, 0.5), cosine=array(0.5, 0.5, 0.5), session=np.array([1, 2, 2])
    )
    assert ranked(together).order.tolist() == [1, 2, 0]


def test_other_signals_modulate_but_never_replace_relevance() -> None:
    fresh_noise = candidates(
        fused=array(0.9, 0.3), cosine=array(0.6, 0.2), recency=array(0, 1),
        importance=array(0.1, 1), continuity=array(0, 1),
    )  # fmt: skip
    assert ranked(fresh_noise).order[0] == 0
    equal = candidates(fused=array(0.5, 0.5), cosine=array(0.5, 0.5), recency=array(0.1, 0.9))
    assert ranked(equal).order[0] == 1
    assert ranked(equal, recency=0, importance=0, continuity=0, relationship=0).order[0] == 0


def test_links_carry_an_item_that_does_not_match_itself() -> None:
    found = candidates(fused=array(0.9, 0.3, 0.0), cosine=array(0.6, 0.2, 0.1))
    assert ranked(found, array(0, 0, 0.25)).order.tolist() == [0, 2, 1]


def test_disputed_and_retired_items_fall_behind() -> None:
    even = {"fused": array(0.6, 0.5), "cosine": array(0.5, 0.5)}
    assert ranked(candidates(**even, disputed=np.array([True, False]))).order[0] == 1
    assert ranked(candidates(**even, retired=np.array([True, False]))).order[0] == 1


def test_a_floor_removes_what_is_weak_or_far_behind_but_never_a_pin() -> None:
    found = candidates(
        fused=array(1, 0.9, 0.3, 0.2, 0),
        cosine=array(0.6, 0.6, 0.6, 0.6, 0),
        covered=array(1, 1, 1, 1, 0),
    )
    result = ranked(found)
    none, pinned = np.zeros(5, bool), np.array([False, False, False, True, False])
    assert chosen(result, none, 0.0) == [0, 1, 2, 3]
    assert chosen(result, none, 0.05) == [0, 1]
    assert chosen(result, pinned, 0.05) == [0, 1, 3]
    assert chosen(result, pinned, 0.99) == [3]


def test_recency_halves_in_69_hours() -> None:
    assert recency(array(0, 69.3, -5)) == pytest.approx([1, 0.5, 1], abs=1e-3)


def test_a_pin_counts_as_the_highest_importance() -> None:
    assert importance(array(3, 3), np.array([False, True])) == pytest.approx([0.3, 1])


def test_speakers_are_recognised_by_any_part_of_their_name() -> None:
    names = ["Ana Maria", "Bob", "Al"]
    assert named_speakers(names, "What did Maria buy al dente?").tolist() == [True, False, False]
    assert named_speakers([], "who?").tolist() == []


def test_a_session_is_as_good_as_its_three_best_turns() -> None:
    prior = session_prior(array(0.9, 0.6, 0.3, 0.2, 0.8), np.array([1, 1, 1, 1, -1]))
    assert prior == pytest.approx([0.6, 0.6, 0.6, 0.6, 0])
