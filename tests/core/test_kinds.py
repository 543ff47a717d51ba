"""What kind a message is: by the shipped weights, on messages they were not trained on."""

from pathlib import Path

import numpy as np
import pytest
from kinds import measured

from skill_agent.text.kind_features import BUCKETS, folded
from skill_agent.text.kinds import KINDS, WEIGHTS, KindReader, deciding, kind_of, sentences


def test_the_shipped_weights_are_as_good_as_is_said() -> None:
    figures = measured(KindReader(), "choose")
    assert figures["right"] >= 0.91
    assert figures["told_wrongly"] <= 0.04
    assert figures["sure"] >= 0.7
    assert figures["sure_right"] >= 0.96
    seven = {
        name: figures["languages"][name] for name in ("en", "de", "es", "fr", "ru", "ja", "zh")
    }
    assert min(seven.values()) >= 0.88, seven


def test_the_weights_are_a_small_file_that_fits_the_features() -> None:
    assert WEIGHTS.stat().st_size <= 400_000
    with np.load(WEIGHTS) as stored:
        assert stored["rows"].shape == (BUCKETS, len(KINDS))


@pytest.mark.parametrize("text", ["", "   ", "👍", "…", "?!"])
def test_what_has_no_word_is_chat(text: str) -> None:
    assert kind_of(text).name == "chat"


def test_chances_are_shares_and_agree_with_the_name() -> None:
    for text in ("hello", "wann ist mein Zahnarzttermin", "x" * 5_000, "a\n" * 3_000, "\ud800 hm"):
        kind = kind_of(text)
        assert sum(kind.chances.values()) == pytest.approx(1)
        assert kind.probability == kind.chances[kind.name] == max(kind.chances.values())
        assert kind.runner_up != kind.name


def test_case_accents_digits_and_quoted_words_make_no_difference() -> None:
    assert folded("¿DÓNDE vivo?") == folded("¿donde vivo?")
    assert folded("room 12") == folded("room 98")
    assert folded('translate "where is my dog"') == folded("translate «wo bin ich»")
    assert folded("が") != folded("か"), "marks of scripts that are no alphabet stay"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I bought a tent yesterday. Where do I work?", "ask_me"),
        ("Ich habe gestern ein Zelt gekauft. Wo arbeite ich?", "ask_me"),
        ("Thanks! Write an email to my landlord.", "do"),
        ("Translate this into French: Where is my dog?", "do"),
        ("请把这句翻译成英语：我在哪里上班？", "do"),
        ("Review this:\n" + "\n".join(f"line {n} of what was pasted" for n in range(400)), "do"),
    ],
)
def test_the_sentence_that_wants_something_decides(text: str, name: str) -> None:
    assert kind_of(text).name == name


def test_without_a_wish_the_sentence_that_tells_most_decides() -> None:
    tells, chats = np.eye(len(KINDS))[[KINDS.index("tell"), KINDS.index("chat")]]
    assert deciding(["I moved.", "Thanks!"], [tells, chats]) is tells
    assert deciding(["Hello!", "Thanks!"], [chats, chats]) is chats


def test_sentences_end_where_people_end_them() -> None:
    assert sentences("Hallo! Am 3. Dezember um 9:15 Uhr. Ok？はい。次") == [
        "Hallo!", "Am 3. Dezember um 9:15 Uhr.", "Ok？", "はい。", "次",
    ]  # fmt: skip
    assert len(sentences("a. b\n" * 1_000)) == 8


def test_weights_that_are_missing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KindReader(tmp_path / "kinds.npz")
