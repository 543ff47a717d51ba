"""The extraction benchmark's scoring, and that its labelled set holds together."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from scoring import Fact, Labelled, Score, Statement, judge, read_set

SETS = [*(Path(__file__).parents[2] / "benchmarks" / "memory").glob("extraction_*.json")]
TALKS = [talk for one in SETS for talk in read_set(one)]


def statement(*groups: str, forbid: tuple[str, ...] = ()) -> Statement:
    return Statement(keys=tuple(tuple(one.split("|")) for one in groups), forbid=forbid)


def labelled(*facts: str, wrong: tuple[str, ...] = (), neutral: tuple[str, ...] = ()) -> Labelled:
    return Labelled(
        id="talk",
        messages=(),
        facts=tuple(
            Fact(id=word, fact=word, keys=((word,),), type="semantic", kind="fact")
            for word in facts
        ),
        wrong=tuple(statement(word) for word in wrong),
        neutral=tuple(statement(word) for word in neutral),
    )


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("lisbon", "She moved to Lisbon.", True),
        ("vet", "a vetted list", False),
        ("allerg*", "Allergic to nuts", True),
        ("take over", "will take  over", True),
        ("i'm", "I’m here", True),
        ("7", "at 7.30", False),
        ("7", "at 7.", True),
        ("3.7", "3.7 percent", True),
        ("c++", "writes C++ all day", True),
        ("@2026-05-12", "on 12 May 2026", True),
        ("@2026-05-12", "on May 12th, 2026", True),
        ("@2026-05-12", "the 12th of May", True),
        ("@2026-05-12", "due 2026-05-12.", True),
        ("@2026-05-12", "on 12 May 2025", False),
        ("@2026-05-12", "on May 12, 2025", False),
        ("@2026-05-12", "on 2 May 2026", False),
        ("@2026-05-12", "from 12 to 15 May 2026", True),
        ("@2026-05-15", "from May 12–15, 2026", True),
        ("@2026-09-14", "14 Sept. 2026", True),
        ("@2026-05", "in May 2026", True),
        ("@2026-05", "on 3 May 2026", True),
        ("@2026-05", "she may go", False),
        ("@2026", "in autumn 2026", True),
        ("成都", "我在成都开了一家花店", True),
        ("ナッツ", "私はナッツアレルギーです", True),
    ],
)
def test_words_and_dates(word: str, text: str, found: bool) -> None:
    assert statement(word).said_in(text) is found


def test_all_groups_are_needed_and_no_forbidden_word() -> None:
    one = statement("vet", "bartek|neighbour", forbid=("not",))
    assert one.said_in("The neighbour is a vet")
    assert not one.said_in("The user is a vet")
    assert not one.said_in("Bartek is not a vet")


def test_one_memory_finds_several_facts_and_counts_once() -> None:
    score = Score(judged=[judge(labelled("red", "green", "blue"), [("red and green", "semantic")])])
    assert score.recall == pytest.approx(2 / 3)
    assert score.precision == 1.0
    assert score.f1 == pytest.approx(0.8)
    assert [fact.id for fact in score.missed()] == ["blue"]


def test_neutral_is_not_false_but_finds_nothing() -> None:
    judged = judge(labelled("red", neutral=("grey",)), [("grey", "semantic"), ("odd", "semantic")])
    assert (judged.correct, judged.false, judged.hit) == (("grey",), ("odd",), frozenset())


def test_what_must_not_be_kept_is_false_even_beside_a_fact() -> None:
    judged = judge(labelled("red", wrong=("liar",)), [("red liar", "semantic")])
    assert judged.false == judged.wrong == ("red liar",)
    assert not judged.hit


def test_repeats_and_the_profile_are_counted() -> None:
    judged = judge(
        labelled("red", "green"),
        [("red", "semantic"), ("red again", "episodic"), ("green", "user_profile"),
         ("made up", "user_profile")],
    )  # fmt: skip
    assert judged.repeats == 1
    assert judged.profile == (True, False)
    assert Score(judged=[judged]).summary()["profile_precision"] == 0.5


def test_no_memory_where_nothing_is_to_be_kept_is_perfect() -> None:
    assert Score(judged=[judge(labelled(), [])]).f1 == 1.0
    assert Score(judged=[judge(labelled(), [("made up", "semantic")])]).precision == 0.0


def test_each_set_has_several_languages_and_talks_without_any_fact() -> None:
    for file in SETS:
        talks = read_set(file)
        ids = Counter([talk.id for talk in talks] + [f.id for talk in talks for f in talk.facts])
        assert {"en", "de", "es", "fr", "ru", "ja", "zh"} <= {talk.lang for talk in talks}
        assert sum(len(talk.facts) for talk in talks) >= (50 if "final" in file.name else 100)
        assert any(not talk.facts for talk in talks) or "final" in file.name
        assert ids.most_common(1)[0][1] == 1
        assert read_set(file, 3) == talks[:3]


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.id)
def test_labels_agree_with_themselves(talk: Labelled) -> None:
    """What is to be found stands in the person's own words; labels of English state themselves."""
    own = " ".join(one.content for one in talk.messages if one.role == "user")
    for fact in talk.facts if talk.lang == "en" else ():
        assert not [one for one in talk.wrong if one.said_in(fact.fact)], fact
    for fact in talk.facts if talk.lang != "en" else ():
        assert fact.said_in(own), fact
    words = [w for one in (*talk.facts, *talk.wrong, *talk.neutral) for g in one.keys for w in g]
    assert [word for word in words if word != word.lower() or not word] == []
    assert 4 <= len(talk.messages) <= 14 or talk.lang in ("ja", "zh", "ru", "fr")
    assert all(a.created_at < b.created_at for a, b in pairwise(talk.messages))
