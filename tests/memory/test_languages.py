"""What is told of each language, and what would help."""

from skill_agent.memory.languages import coverage
from skill_agent.values import LanguageCoverage

MINILM, USE = "all-minilm-l6-v2", "use-multilingual-3"
GERMAN = ["Ich wohne seit drei Jahren in Graz", "Gestern war ich mit dem Hund beim Tierarzt"]
ENGLISH = ["I moved to the old flat by the harbour"]
POLISH = ["Wczoraj kupiłem nowy rower i pojechałem nim do pracy"]


def told(said: list[str], embedder: str, model: str = "") -> dict[str, LanguageCoverage]:
    return {one.id: one for one in coverage(said, embedder, model)}


def test_what_is_spoken_stands_first_with_its_share() -> None:
    found = coverage([*GERMAN, *ENGLISH], MINILM, "embedded/qwen2.5-coder-1.5b")
    assert [(one.id, one.messages) for one in found[:2]] == [("de", 2), ("en", 1)]
    assert [round(one.share, 2) for one in found[:2]] == [0.67, 0.33]
    assert {one.id for one in found} >= {"de", "en", "es", "fr", "it", "ja", "nl", "pt", "ru", "zh"}
    assert all(one.messages == 0 for one in found[2:])


def test_what_the_models_know_and_what_would_help() -> None:
    german = told(GERMAN, MINILM, "embedded/qwen2.5-coder-1.5b")["de"]
    assert (german.embedder, german.model) == (False, False)
    assert german.advice[0] == f"ska init --embedder {USE}"
    assert german.advice[1].startswith("ska init --model ")
    both = told(GERMAN, f"{MINILM}+{USE}", "embedded/qwen3.5-4b")["de"]
    assert (both.embedder, both.model, both.advice) == (True, True, ())


def test_of_models_the_catalogue_does_not_have_nobody_knows() -> None:
    german = told(GERMAN, "sentence-transformers/some", "openai/gpt-4o-mini")["de"]
    assert (german.embedder, german.model, german.advice) == (None, None, ())


def test_a_language_without_a_file_is_told_too() -> None:
    found = told(POLISH, MINILM)
    assert found["pl"].messages == 1 and found["pl"].rules == ()
    assert found["pl"].advice == (f"ska init --embedder {USE}",)
    assert "remember" in found["de"].rules


def test_nothing_said_is_no_division() -> None:
    assert all(one.share == 0 for one in coverage([], MINILM, ""))
