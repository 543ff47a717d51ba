"""What of an item is indexed."""

import unicodedata
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from skill_agent.memory.recall.wording import dated_line, item_stems
from skill_agent.memory.words.stemming import stems, words
from skill_agent.values import IndexItem


def item(*, speaker: str | None = None, subject: str | None = None) -> IndexItem:
    return IndexItem(
        id="i", kind="memory", seq=1, text="We moved to Porto",
        created_at=datetime(2023, 5, 8, tzinfo=UTC), speaker=speaker, subject=subject,
    )  # fmt: skip


def test_the_line_carries_speaker_and_date() -> None:
    assert dated_line(item(speaker="Ana")) == "Ana (8 May 2023): We moved to Porto"
    assert dated_line(item()) == "(8 May 2023) We moved to Porto"


def test_kin_share_a_stem() -> None:
    for family in ("paint paints painted painting", "city cities", "adopt adopting adopted",
                   "run running runs", "hike hiking hiked hikes", "agency agencies"):  # fmt: skip
        assert len(set(stems(family))) == 1, family


def test_stop_words_go_and_other_scripts_stay() -> None:
    assert stems("What did the Lisbon office say about it?") == ["lisbon", "offic", "say"]
    assert stems("Что это") == ["что", "это"]
    assert stems("São João's café") == stems("Sao Joao's cafe")
    assert stems("我喜欢 Python 猫") == ["喜", "欢", "我喜", "喜欢", "python", "猫"]
    assert stems("한국어 ガス")[:5] == ["한", "국", "어", "한국", "국어"]
    assert words("한국어 漢字") == ["한국어", "漢", "字"]
    assert stems("हिन्दी में") == ["हिन्दी", "में"]
    assert stems("42 is the answer")[0] == "42"
    assert stems("?!") == []


def test_common_words_go_in_the_language_of_the_text() -> None:
    assert stems("Wo ist der Schlüssel für das Haus?") == ["schlussel", "hau"]
    assert stems("¿Dónde está la llave de mi casa?") == ["llav", "casa"]
    assert stems("The war was long") == ["war", "long"], "a common word of German only"
    assert stems("Где ключи от моей квартиры") == stems("ключ квартира")


def test_only_common_words_are_better_than_none() -> None:
    assert stems("Wer ist das") == ["wer", "ist", "das"]


def test_identifiers_are_found_whole_and_by_their_parts() -> None:
    assert stems("plate KL-220") == ["plat", "kl", "220", "kl-220"]
    assert stems("see skill_agent/text") == ["see", "skill", "agent", "text", "skill_agent/text"]
    assert "well-known" not in stems("a well-known song")


@given(st.text(max_size=60))
def test_any_text_has_stems_that_are_single_words(text: str) -> None:
    assert all(stem and not any(map(str.isspace, stem)) for stem in stems(text))
    assert stems(unicodedata.normalize("NFD", text)) == stems(unicodedata.normalize("NFC", text))


def test_a_subject_is_searchable() -> None:
    assert {"user", "preferenc", "languag"} <= set(
        item_stems(item(subject="user.preference.language"))
    )
