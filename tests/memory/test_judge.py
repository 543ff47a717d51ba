"""What two statements are to each other, as far as code is certain of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from skill_agent.memory.contradictions.difference import likeness, one_slot
from skill_agent.memory.contradictions.judge import (
    Judgement,
    comparable,
    judge_by_rules,
    seen_together,
)
from skill_agent.memory.contradictions.signs import signs_of
from skill_agent.text.language import spoken
from skill_agent.values import Memory

START = datetime(2026, 5, 1, tzinfo=UTC)


def memory(content: str, *, day: int = 0, **changed) -> Memory:
    at = START + timedelta(days=day)
    values = {"id": f"{content} {day}", "created_at": at, "updated_at": at, **changed}
    return Memory(content=content, **values)


def judged(old: str, new: str, *, cosine: float = 0.6, **about) -> Judgement:
    return judge_by_rules(
        memory(new, day=1, **about), memory(old, **about), cosine=cosine, changes=False
    )


REPLACED = [
    ("The shelf is kept in the red barn", "The shelf is kept in the blue barn instead"),
    ("Das Regal steht im roten Schuppen", "Das Regal steht stattdessen im blauen Schuppen"),
    ("Mi tía compra pan en el mercado", "Mi tía ya no compra pan en el mercado"),
    ("Мой дядя собирает марки", "Мой дядя больше не собирает марки"),
]
UPDATED = [
    ("The choir rehearses in the old gym", "The choir was relocated to the town hall"),
    ("Der Chor probt in der alten Turnhalle", "Der Chor wurde in das Rathaus verlegt"),
    ("El coro ensaya en el gimnasio", "El ensayo del coro fue trasladado al ayuntamiento"),
    ("La chorale répète au gymnase", "La répétition de la chorale a été annulée"),
    ("Хор репетирует в спортзале", "Репетицию хора отменили"),
    ("合唱の練習は体育館です", "合唱の練習は中止になりました"),
    ("合唱团在体育馆排练", "合唱团的排练取消了"),
    ("My vet is Dr. Lamb", "My vet is now Dr. Shaw"),
]
WAITING = [
    ("The ferry leaves at 7:15", "The ferry leaves at 8:40"),
    ("The user has two children", "The user has three children"),
    ("Le bateau part le lundi matin", "Le bateau part le mardi matin"),
]
DENIED = [
    ("I own a boat", "I don't own a boat"),
    ("Ich besitze ein Boot", "Ich besitze kein Boot"),
    ("Je possède un bateau", "Je ne possède pas de bateau"),
    ("У меня есть лодка на озере", "У меня нет лодка на озере"),
    ("私は船を持っています", "私は船を持っていません"),
    ("我喝牛奶", "我不喝牛奶"),
]
BOTH = [
    ("I collect stamps", "I also collect coins"),
    ("Ich sammle Briefmarken", "Ich sammle auch Münzen"),
    ("私は切手を集めています", "私は硬貨も集めています"),
    ("My uncle lives in Ghent", "My aunt lives in Bruges"),
    ("The front gate opens with 4471", "The garage opens with 8820"),
    ("I teach at the school", "Maybe I will teach at the college one day"),
    ("We live in Ghent", "When I was small we lived in Bruges"),
    ("I sold the red car", "I sold the blue car"),
    ("Shelf 3 holds the jars", "Shelf 4 holds the jars"),
]


@pytest.mark.parametrize(("old", "new"), REPLACED)
def test_an_explicit_change_of_the_same_sentence_replaces(old: str, new: str) -> None:
    assert judged(old, new).action == "supersede"


@pytest.mark.parametrize(("old", "new"), UPDATED)
def test_another_sentence_that_tells_of_a_change_updates(old: str, new: str) -> None:
    assert judged(old, new).action == "update"


@pytest.mark.parametrize(("old", "new"), WAITING)
def test_another_number_or_day_alone_waits(old: str, new: str) -> None:
    assert judged(old, new).action == "wait"
    assert judged(old, new, memory_type="episodic").action == "coexist"


@pytest.mark.parametrize(("old", "new"), DENIED)
def test_what_denies_the_same_is_a_dispute(old: str, new: str) -> None:
    assert judged(old, new).action == "dispute"


@pytest.mark.parametrize(("old", "new"), BOTH)
def test_what_can_both_be_true_is_left_alone(old: str, new: str) -> None:
    assert judged(old, new).action == "coexist"


def test_a_single_valued_subject_has_one_value() -> None:
    place = "user.location"
    assert judged("Lives in Ghent", "Has a flat in Bruges", subject=place).action == "update"
    assert judged("Lives in Ghent", "Lives in Bruges", subject=place).action == "supersede"


def test_nothing_gives_way_to_what_is_older() -> None:
    old, new = REPLACED[0]
    late = judge_by_rules(memory(new), memory(old, day=1), cosine=0.9, changes=False)
    assert late.action == "dispute"
    said = judge_by_rules(memory("My vet is now Dr. Shaw"), memory("My vet is Dr. Lamb", day=1),
                          cosine=0.9, changes=False)  # fmt: skip
    assert said.action == "coexist"


def test_reading_never_replaces_what_a_person_pinned() -> None:
    old = memory(REPLACED[0][0], pinned=True)
    new = memory(REPLACED[0][1], day=1, source_type="extraction")
    assert judge_by_rules(new, old, cosine=0.9, changes=True).action == "dispute"
    told = memory(REPLACED[0][1], day=1)
    assert judge_by_rules(told, old, cosine=0.9, changes=True).action == "supersede"


def test_what_others_wrote_replaces_nothing_of_the_persons() -> None:
    new = memory(REPLACED[0][1], day=1, origins=("web",))
    assert judge_by_rules(new, memory(REPLACED[0][0]), cosine=0.9, changes=True).action == "dispute"


def test_a_sign_is_part_of_what_is_over() -> None:
    assert judged("I write it in C++", "I no longer write it in C").action != "supersede"


def test_long_texts_are_not_compared() -> None:
    one = "word " * 200
    new = memory(f"no longer {one}", day=1)
    assert judge_by_rules(new, memory(one), cosine=0.99, changes=True).action == "coexist"


def test_only_what_is_near_is_open() -> None:
    assert judged("My uncle lives in Ghent", "My aunt lives in Bruges").open
    assert not judged("My uncle lives in Ghent", "The soup is hot", cosine=0.1).open


def test_who_is_compared_with_whom() -> None:
    mine, theirs = memory("a", agent="kyra"), memory("b", agent="luke")
    everybodys = memory("c")
    assert comparable(mine, memory("d", agent="kyra"), "me")
    assert not comparable(mine, theirs, "me")
    assert not comparable(mine, everybodys, "me")
    assert seen_together(mine, everybodys, "me")
    assert not seen_together(mine, theirs, "me")
    private = memory("e", agent="kyra", memory_type="agent_private")
    assert not seen_together(private, everybodys, "me")
    assert not comparable(memory("f", user="ana"), memory("g", user="ben"), "me")
    assert not comparable(memory("h", related_to=("i",)), memory("x", id="i"), "me")


def test_likeness_needs_words_in_common() -> None:
    assert likeness("The barn is red", "the barns are red") > 0.4
    assert likeness("", "the barn") == 0.0
    assert likeness("体育館で練習", "体育館で試合") > 0.3


def test_a_slot_is_the_only_difference_and_not_what_it_is_about() -> None:
    slot = one_slot("The barn is red", "The barn is blue")
    assert slot is not None and (slot.old, slot.new) == ("red", "blue")
    assert one_slot("Anna sings well", "Peter sings well") is None
    assert one_slot("The barn is red", "The barn is blue and tall") is not None
    assert one_slot("The barn is red", "The house was blue") is None


@pytest.mark.parametrize("code", [one.code for one in spoken()])
def test_each_language_tells_how_it_says_that_something_changed(code: str) -> None:
    told = next(one for one in spoken() if one.code == code).tables["changes"]
    assert {"over", "now", "deny", "also", "figures", "perhaps", "once", "was"} == set(told)
    assert "{day}" in told["was"]
    assert signs_of("It is so").over.found("It is no longer so")


def test_what_others_wrote_never_says_of_a_persons_words_that_they_hold_no_longer() -> None:
    old = memory("My vet is Dr. Lamb")
    new = memory("My vet is now Dr. Shaw", day=1)
    assert judge_by_rules(new, old, cosine=0.9, changes=False).action == "update"
    brought = replace(new, origins=("import",))
    assert judge_by_rules(brought, old, cosine=0.9, changes=False).action == "wait"
    both = replace(old, origins=("import",))
    assert judge_by_rules(brought, both, cosine=0.9, changes=False).action == "update"
