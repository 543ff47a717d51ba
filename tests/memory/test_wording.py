"""What of an item is indexed."""

from datetime import UTC, datetime

from skill_agent.memory.english.stemming import stems
from skill_agent.memory.recall.wording import dated_line, item_stems
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
    assert stems("我喜欢 Python 猫") == ["我", "喜", "欢", "python", "猫"]
    assert stems("한국어 ガス")[0] == "한국어"
    assert stems("42 is the answer")[0] == "42"
    assert stems("?!") == []


def test_a_subject_is_searchable() -> None:
    assert {"user", "preferenc", "languag"} <= set(
        item_stems(item(subject="user.preference.language"))
    )
