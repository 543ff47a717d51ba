"""Fusion, evidence and ranking as plain arithmetic."""

from typing import Any

import numpy as np
import pytest

from skill_agent.memory.recall.ranking import (
    RELEVANT,
    Candidates,
    Views,
    best,
    chosen,
    evidence,
    fuse,
    rank,
    relevance,
    surprise,
)
from skill_agent.memory.recall.signals import importance, named_speakers, recency, session_prior
from skill_agent.settings.schema import MemorySettings


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def candidates(**given: Any) -> Candidates:
    size = len(next(iter(given.values())))
    nothing, no = np.zeros(size, np.float32), np.zeros(size, bool)
    fields: dict[str, Any] = {
        "fused": nothing, "cosine": nothing, "surprise": given.get("cosine", nothing) * 3,
        "covered": nothing, "cosine_window": nothing, "covered_window": nothing, "turn": no,
        "time": nothing, "speaker": no, "session": np.full(size, -1),
        "recency": nothing, "importance": nothing, "continuity": nothing, "disputed": no,
        "retired": no, "pinned": no, "identity": no,
    }  # fmt: skip
    return Candidates(**(fields | given))


def ranked(found: Candidates, linked: np.ndarray | None = None, **weights: float) -> Any:
    semantic, parts = relevance(found)
    passed = np.zeros_like(semantic) if linked is None else linked
    return rank(found, semantic, passed, weights, relevant=parts["evidence"] >= RELEVANT)


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


FLOOR = MemorySettings().relevance_floor


def test_shared_words_are_evidence_as_far_as_the_sense_agrees() -> None:
    found = candidates(
        cosine=array(0.6, 0.3, 0.05, 0.05, 0.35), covered=array(0, 0.4, 0.4, 1, 0),
    )  # fmt: skip
    plain, agreeing, by_chance, spelt, vague = evidence(found)
    assert plain > 0.9
    assert agreeing > FLOOR
    assert by_chance < FLOOR / 2
    assert spelt > 0.6
    assert 0 < vague < plain


def test_without_an_embedder_words_are_evidence() -> None:
    found = evidence(candidates(covered=array(0.5, 0)))
    assert found[0] > FLOOR
    assert found[1] == 0


def test_a_turn_is_borne_out_by_its_neighbours_and_a_memory_is_not() -> None:
    near = {"cosine_window": array(0.6, 0.6), "surprise": array(1.8, 1.8)}
    found = candidates(cosine=array(0.1, 0.1), turn=np.array([True, False]), **near)
    turn, memory = evidence(found)
    assert turn > 2 * memory


def test_a_name_nobody_knows_weakens_all_evidence() -> None:
    known, strange = (
        relevance(candidates(cosine=array(0.5), strange=unknown))[1]["evidence"][0]
        for unknown in (False, True)
    )
    assert strange < known


def test_a_cosine_says_more_among_few_than_among_many() -> None:
    few, many = (np.append(np.linspace(-0.1, 0.25, count), 0.4) for count in (20, 20_000))
    everything = np.ones_like
    assert surprise(few, everything(few, bool))[-1] > surprise(many, everything(many, bool))[-1]


def test_one_memory_alone_can_stand_out() -> None:
    near, far = (surprise(array(cosine), np.array([True]))[0] for cosine in (0.6, 0.1))
    assert near > 0.8 > 0.2 > far


def test_little_evidence_means_a_low_score_even_for_the_first() -> None:
    sure = ranked(candidates(fused=array(0.9, 0.2), cosine=array(0.6, 0.3), covered=array(1, 0)))
    vague = ranked(candidates(fused=array(0.9, 0.2), cosine=array(0.2, 0.1), covered=array(0, 0)))
    assert sure.score[0] > 0.6
    assert vague.score[0] < FLOOR


def test_times_lift() -> None:
    even = {"fused": array(0.5, 0.5), "cosine": array(0.5, 0.5)}
    assert ranked(candidates(**even, time=array(0, 1))).order[0] == 1


def test_relevant_pins_and_identity_come_first_and_irrelevant_ones_do_not() -> None:
    found = candidates(
        fused=array(1, 0.6, 0.5, 0.1, 0.5, 0.5), cosine=array(0.7, 0.5, 0.4, 0, 0.4, 0.5),
        pinned=np.array([False, True, True, True, False, False]),
        identity=np.array([False, False, False, False, True, False]),
    )  # fmt: skip
    result = ranked(found)
    assert result.order[:3].tolist() == [4, 1, 2]
    assert result.score[4] == 1.0
    assert 0.95 <= result.score[2] < result.score[1] < 1.0
    assert result.score[3] < 0.2


def test_a_disputed_pin_is_halved() -> None:
    found = candidates(
        fused=array(1), cosine=array(0.7), pinned=np.array([True]), disputed=np.array([True])
    )
    assert 0.47 < ranked(found).score[0] <= 0.5


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
    assert ranked(found, array(0, 0, 0.45)).order.tolist() == [0, 2, 1]


def test_disputed_and_retired_items_fall_behind() -> None:
    even = {"fused": array(0.6, 0.5), "cosine": array(0.5, 0.5)}
    assert ranked(candidates(**even, disputed=np.array([True, False]))).order[0] == 1
    assert ranked(candidates(**even, retired=np.array([True, False]))).order[0] == 1


def test_a_floor_removes_what_is_weak_or_far_behind_but_never_a_pin() -> None:
    result = ranked(candidates(fused=array(1, 0.9, 0.3, 0.2, 0), cosine=array(1, 1, 1, 1, 0)))
    proof = array(0.9, 0.8, 0.3, 0.1, 0)
    none, pinned = np.zeros(5, bool), np.array([False, False, False, True, False])
    assert chosen(result, proof, none, 0.0) == [0, 1, 2, 3]
    assert chosen(result, proof, none, 0.05) == [0, 1]
    assert chosen(result, proof, pinned, 0.05) == [0, 1, 3]
    assert chosen(result, proof, pinned, 0.99) == [3]


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
