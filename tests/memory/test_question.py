"""What a question names, which times it speaks of, and what is no question at all."""

from datetime import UTC, datetime

import pytest

from skill_agent.memory.recall.aliases import names, renamed
from skill_agent.memory.recall.question import (
    asks,
    is_small_talk,
    read_question,
    speaks_of,
    tells_nothing,
)
from skill_agent.values import IndexItem

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("When does Elsa play?", {"elsa"}),
        ("Mira's birthday?", {"mira"}),
        ("Where do we deploy?", set()),
        ("Robert Lindqvist, where is he?", {"robert", "lindqvist"}),
        ('what is "blue heron"?', {"blu", "heron"}),
        ("ask @luke about k8s", {"luk", "k8s"}),
        ("What did I do in May?", set()),
        ("who is i", set()),
    ],
)
def test_names_are_words_written_like_names(text: str, named: set[str]) -> None:
    assert read_question(text, NOW).names == named


def test_time_words_are_quiet_unless_they_are_said_otherwise_too() -> None:
    asked = read_question("What did the team decide last week?", NOW)
    assert asked.times
    assert "week" in asked.quiet
    assert "team" not in asked.quiet
    assert not read_question("How long is a week, and what was last week?", NOW).quiet & {"week"}
    assert read_question("What does the team do?", NOW).times == ()


def test_an_item_speaks_of_a_time_when_its_words_name_a_day_in_it() -> None:
    asked = read_question("What happened in May?", NOW).times

    def spoken(text: str) -> bool:
        return speaks_of(IndexItem(id="x", kind="memory", seq=1, text=text, created_at=NOW), asked)

    assert spoken("On 9 May 2026 the portal was down.")
    assert not spoken("On 9 June 2026 the portal was down.")
    assert not spoken("In 2026 the portal was down.")
    assert not spoken("The portal was down.")


@pytest.mark.parametrize(
    ("text", "small"),
    [
        ("Good morning!", True), ("Thanks, that was helpful!", True), ("ok", True),
        ("Good morning, when is the meeting?", False), ("Thanks to Ines we won", False),
        ("How are you?", False), ("Hello Kyra", True), ("thanks Tom!", True), ("Tom", False),
        ("Thanks Tom, the code is 4711", False),
    ],
)  # fmt: skip
def test_small_talk_asks_for_nothing(text: str, small: bool) -> None:
    assert is_small_talk(text) is small


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("The team calls Robert 'Bob'.", ("Robert", "Bob")),
        ("Wir nennen Robert „Bob“.", ("Robert", "Bob")),
        ("A Robert le llamamos «Bob».", ("Robert", "Bob")),
        ("Роберт (Боб) отвечает за это.", ("Роберт", "Боб")),
        ("「倉庫」=「データ湖」", ("倉庫", "データ湖")),
        ("K8s = Kubernetes", ("K8s", "Kubernetes")),
        ("Robert Lindqvist, aka Bob, runs it.", ("Robert Lindqvist", "Bob")),
    ],
)  # fmt: skip
def test_sentences_that_give_another_name(text: str, pair: tuple[str, str]) -> None:
    assert pair in list(names(text))


@pytest.mark.parametrize(
    "text",
    [
        "Robert runs the cluster.",
        "He stays at the Thief hotel (three nights).",
        "",
        'I said "hello".',
        "It's Tom's bike, isn't it",
    ],
)
def test_sentences_that_do_not(text: str) -> None:
    assert list(names(text)) == []


def test_a_question_is_asked_by_the_other_name_too() -> None:
    told = ["Anna likes tea.", "The team calls Robert 'Bob'."]
    assert renamed("What does Bob do?", told) == "What does Robert do?"
    assert renamed("What does robert do?", told) == "What does Bob do?"
    assert renamed("Is Bob the same as Robert?", told) == ""
    assert renamed("What does Bobby do?", told) == ""


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("When is our standup?", True), ("what sport do I do", True),
        ("How do I reverse a list?", False), ("Tell me a joke", False),
        ("for i in range(10) print(i)", False), ("When is the launch?", False),
        ("Who is my dentist, can you tell me?", True),
    ],
)  # fmt: skip
def test_own_affairs_are_told_from_a_manner_of_asking(text: str, own: bool) -> None:
    assert read_question(text, NOW).own is own


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Write a haiku about rain", True), ("please translate cheese", True),
        ("Who discovered radium?", True), ("How does yeast work?", True),
        ("Write to my landlord", False), ("When is the concert?", False),
    ],
)  # fmt: skip
def test_work_on_words_and_general_knowledge_is_a_task(text: str, task: bool) -> None:
    assert read_question(text, NOW).task is task


def test_a_question_that_only_names_a_time_asks_for_all_of_it() -> None:
    asked = read_question("what are we doing in march", NOW)
    assert (asked.any_day, asked.quiet) == (True, {"march"})
    assert [moment.start.year for moment in asked.times] == [2026, 2027]
    assert read_question("any plans for friday?", NOW).quiet == frozenset()
    assert not read_question("who sings in march", NOW).any_day


@pytest.mark.parametrize(
    "text",
    [
        "when's the standup again",
        "whats the wifi pw",
        "who do I call if the oven dies",
        "until when is the clinic open on wednesday",
        "have I paid my choir fee",
        "does my dad have a heart problem",
        "which day do I work",
        "write a haiku about rain",
        "please proofread: Their going home.",
        "phone number of the laboratory",
        "lol ok",
        "Good morning Kyra!",
        "Good morning! What is new?",
        "家賃はいくらですか？",
        "房租多少钱？",
    ],
)
def test_what_only_asks_tells_nothing(text: str) -> None:
    assert tells_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "When we say the Boat, we mean the savings account",
        "What I like most is tea",
        "When I was a child we lived in Ghent",
        "Phone number of the lab: 555 81 20",
        "The wifi password is barnacle",
        "I paid the fee. Was that right?",
        "Where Lisa lives there is no tram",
        "What a lovely bakery that is!",
        "家賃は6万8千円です。",
        "房租每月四千二百块。",
        "家賃は6万8千円です。高いですか？",
    ],
)
def test_what_tells_something_is_no_question(text: str) -> None:
    assert not tells_nothing(text)


def test_a_sentence_is_judged_by_itself() -> None:
    assert asks("How much is a rye bread")
    assert not asks("How wonderful that was!")
