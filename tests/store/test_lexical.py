"""BM25 against its textbook form, computed the slow way."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from skill_agent.store.lance_index.lexical import K1, B, Neighbourhood, Postings

DOCUMENTS = [
    "red apple pie", "green apple", "", "apple apple apple tart", "blue sky", "sky sky pie",
    "tart",
]  # fmt: skip
BEFORE = np.array([-1, 0, 1, -1, 3, -1, 5], np.int32)
AFTER = np.array([1, 2, -1, 4, -1, 6, -1], np.int32)


def slow_bm25(bags: list[Counter[str]], known: list[Counter[str]], terms: list[str]) -> list[float]:
    """BM25 of `bags`, with document frequencies taken from `known`."""
    average = sum(bag.total() for bag in bags) / len(bags)
    scores = [0.0] * len(bags)
    for term in terms:
        holders = sum(term in bag for bag in known)
        idf = math.log(1 + (len(known) - holders + 0.5) / (holders + 0.5))
        for i, bag in enumerate(bags):
            penalty = K1 * (1 - B + B * bag.total() / average)
            scores[i] += idf * bag[term] * (K1 + 1) / (bag[term] + penalty)
    return scores


def appended() -> tuple[Postings, np.ndarray]:
    postings = Postings()
    lengths = [postings.append(slot, line.split()) for slot, line in enumerate(DOCUMENTS)]
    return postings, np.array(lengths, np.float32)


def loaded() -> tuple[Postings, np.ndarray]:
    postings = Postings()
    return postings, postings._load(0, pa.chunked_array([DOCUMENTS[:3], DOCUMENTS[3:]]))


def half_and_half() -> tuple[Postings, np.ndarray]:
    postings = Postings()
    lengths = postings._load(0, pa.chunked_array([DOCUMENTS[:3]]))
    more = [postings.append(slot, DOCUMENTS[slot].split()) for slot in range(3, len(DOCUMENTS))]
    postings._fold()
    return postings, np.append(lengths, np.array(more, np.float32))


@pytest.mark.parametrize("build", [appended, loaded, half_and_half])
@pytest.mark.parametrize("hidden", [(), (3,), (1, 5)])
def test_both_views_equal_the_textbook(build, hidden: tuple[int, ...]) -> None:
    postings, lengths = build()
    visible = np.ones(len(DOCUMENTS), bool)
    visible[list(hidden)] = False
    around = Neighbourhood(visible=visible, before=BEFORE, after=AFTER)
    terms = ["apple", "pie", "sky", "missing"]
    scores = postings.scores(terms, around, lengths)

    seen = [i for i in range(len(DOCUMENTS)) if visible[i]]
    bags = {i: Counter(DOCUMENTS[i].split()) for i in seen}
    nothing: Counter[str] = Counter()
    windows = [
        bags[i] + bags.get(int(BEFORE[i]), nothing) + bags.get(int(AFTER[i]), nothing) for i in seen
    ]
    alone = list(bags.values())
    assert scores.single[seen] == pytest.approx(slow_bm25(alone, alone, terms), rel=1e-5)
    assert scores.window[seen] == pytest.approx(slow_bm25(windows, alone, terms), rel=1e-5)
    assert not scores.single[~visible].any()
    assert not scores.window[~visible].any()


def test_coverage_is_the_share_of_the_question_that_was_found() -> None:
    postings, lengths = appended()
    alone = np.full(len(DOCUMENTS), -1, np.int32)
    around = Neighbourhood(visible=np.ones(len(DOCUMENTS), bool), before=alone, after=alone)
    scores = postings.scores(["apple", "tart"], around, lengths)
    assert scores.covered[3] == pytest.approx(1)
    assert 0 < scores.covered[0] < scores.covered[6] < 1
    assert scores.covered[4] == 0
    assert not postings.scores([], around, lengths).single.any()


def test_loading_an_empty_column() -> None:
    postings = Postings()
    lengths = postings._load(0, pa.chunked_array([pa.array([], pa.string())]))
    assert len(lengths) == 0
    assert postings.append(0, ["word"]) == 1
