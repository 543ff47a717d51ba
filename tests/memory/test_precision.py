"""Only what answers a question enters the prompt: labelled sets, asked with the real embedder.

The first set and the bars it must reach are those `benchmarks/memory/recall.py --precision`
prints; it was tuned on. The held-out one was written before anything was run on it, as people type.
"""

import asyncio
from pathlib import Path

import pytest
from model_files import minilm_dir
from precision import Figures, measure
from skill_agent.store.embedding import OnnxEmbedder

SET = Path(__file__).parent / "precision_set.json"
HELD_OUT = Path(__file__).parent / "precision_held_out.json"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    home = tmp_path_factory.mktemp("set") / "home"
    return asyncio.run(measure(SET, OnnxEmbedder(minilm_dir()), home))


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    home = tmp_path_factory.mktemp("held_out") / "home"
    return asyncio.run(measure(HELD_OUT, OnnxEmbedder(minilm_dir()), home))


@pytest.mark.deep
def test_the_set_is_as_large_as_it_has_to_be(figures: Figures) -> None:
    assert len(figures.asked) >= 100
    assert min(len(figures.of(kind)) for kind in ("answerable", "off-topic", "foreign")) >= 10


@pytest.mark.deep
def test_every_answer_is_there(figures: Figures) -> None:
    missing = [f"{one.text}: {one.missing}" for one in figures.of("answerable") if one.missing]
    assert missing == []
    assert figures.recall() == 1.0


def test_little_else_is(figures: Figures) -> None:
    assert figures.precision() >= 0.85


def test_nothing_replaced_forgotten_expired_or_foreign_ever_enters(
    figures: Figures,
) -> None:
    assert figures.violations == ()


def test_a_question_about_something_else_brings_nothing_but_what_always_stands(
    figures: Figures,
) -> None:
    entered = {one.text: one.entered for one in figures.of("off-topic") if one.entered}
    assert entered == {}


def test_pins_enter_every_prompt_of_those_who_may_see_them(figures: Figures) -> None:
    for one in figures.asked:
        assert {"pin-allergy", "pin-invoice"} <= {*one.standing, *one.entered}
        assert "sar-pin" not in one.standing


@pytest.mark.deep
def test_what_is_asked_in_passing_of_another_home_is_answered_too(held_out: Figures) -> None:
    assert len(held_out.of("answerable")) >= 90
    assert held_out.recall() >= 0.94
    assert held_out.precision() >= 0.75


@pytest.mark.deep
def test_nothing_that_must_not_enters_there_either(held_out: Figures) -> None:
    assert held_out.violations == ()
    strays = [stray for one in held_out.of("off-topic") for stray in one.strays]
    assert len(strays) <= 2
