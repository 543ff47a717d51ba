"""Two texts are the same only where they are so in every sign."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.memory.words.retold import says_the_same
from skill_agent.text.sameness import marks, plain, same

SAME = [
    ("The gate opens at dawn", "the gate  opens at dawn."),
    ("Hello there!!!", "hello there"),
    ("ＡＢＣ １２", "ABC 12"),
    ("a ﬁne day", "a fine day"),
    ("It’s “on”", 'It\'s "on"'),
    ("e\u0301te\u0301", "été"),
    ("ｶﾞｽ", "ガス"),
    ("25 ℃", "25 °C"),
    ("THE GATE OPENS AT DAWN", "the gate opens at dawn"),
    ("I live in porto", "i live in Porto"),
    ("駅は青い。", "駅は青い"),
]
OTHERS = [
    ("it is 3 below", "it is -3 below"),
    ("3 below", "+3 below"),
    ("m² of it", "m2 of it"),
    ("½ of it", "1/2 of it"),
    ("x₂", "x²"),
    ("① first", "1 first"),
    ("in Maßen", "in Massen"),
    ("the answer is 5!", "the answer is 5"),
    ("Is it blue?", "It is blue"),
    ("it is blue?", "it is blue"),
    ("10 mW of it", "10 MW of it"),
    ("group a", "group A"),
    ("the US office", "the us office"),
    ("the ABc1 key", "the abC1 key"),
    ("key ZK-2041-031", "key ZK-2041-032"),
    ("key ZK-2041-031", "key zk-2041-031"),
    ("rub it", "rüb it"),
    ("كتب", "كَتَبَ"),
    ("ที่นี่", "ทีนี่"),
    ("हिन्दी", "हिन्द"),
    ("👍🏻 it", "👍🏿 it"),
    ("👨‍👩‍👧 it", "👨👩👧 it"),
    ("eat, Ana", "eat Ana"),
    ("x != y", "x = y"),
    ("5 %", "5 ‰"),
    ("7,5 l", "75 l"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_another_shape_is_the_same(one: str, other: str) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_another_sign_is_not_the_same(one: str, other: str) -> None:
    assert not same(one, other)
    assert not same(other, one)
    assert not says_the_same(one, other)


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_the_same_is_so_both_ways_and_in_every_mark(one: str, other: str) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)
    assert same(one, plain(one))
    if marks(one) != marks(other):
        assert not same(one, other) or one.lower() != other.lower()


@given(st.text("我你他的在北京駅青です東กขคงาิ่한글", min_size=2, max_size=12), st.data())
def test_every_character_counts_where_nothing_parts_words(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    assert not same(text, text[:at] + "水" + text[at + 1 :])
    assert not same(text, text[:at] + text[at + 1 :])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("I take the train", "The user takes the train.", True),
        ("User trains for it", "The user is training for it", True),
        ("I have a dog", "The user has a dog", True),
        ("I worked at Acme", "The user works at Acme", False),
        ("I take 2 pills", "The user takes 3 pills", False),
        ("I take the train", "She takes the train", False),
        ("The servers restart", "The server restarts", False),
    ],
)
def test_who_tells_it_makes_no_other_statement(one: str, other: str, expected: bool) -> None:
    assert says_the_same(one, other) is expected


SPOKEN = [
    "The train {} leaves", "Der Zug {} fährt ab", "El tren {} sale", "Le train {} part",
    "Поезд {} отходит", "列車{}は出ます", "火车{}出发",
]  # fmt: skip
VALUES = [
    "5 km", "5 m", "5 mi", "-5 km", "+5 km", "5", "5.0", "5,0", "50", "05", "5 am", "5 pm", "5:00",
    "5 K", "5 k", "5 MB", "5 Mb", "5 mb", "A", "B", "a-1",
    "a-2", "A1", "a1", "x", "y", "½", "五", "六", "甲", "乙", "上午5", "下午5", "午前5", "午後5",
]  # fmt: skip


@pytest.mark.parametrize("frame", SPOKEN)
def test_a_value_is_the_same_only_with_its_sign_unit_and_letters(frame: str) -> None:
    said = [frame.format(value) for value in VALUES]
    for at, one in enumerate(said):
        for other in said[at + 1 :]:
            assert not says_the_same(one, other), (one, other)
