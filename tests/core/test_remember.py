import pytest

from skill_agent.agents.dna import MemoryConfig
from skill_agent.memory.remembrances import Remembrance, remembrances
from skill_agent.text.language import english, language, language_of

PHRASES = MemoryConfig().remember_commands


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Remember that I deploy on Fridays", "I deploy on Fridays"),
        ("@kyra remember that the code is 42", "The code is 42"),
        ("Remember I'm left-handed", "I'm left-handed"),
        ("My cat is Momo, don't forget!", "My cat is Momo"),
        ("My cat is Momo, don’t forget!", "My cat is Momo"),
        ("I'm allergic to nuts, remember this.", "I'm allergic to nuts"),
        ("Could you remember that my sister is Ana?", "My sister is Ana"),
        ("I want you to remember that I hate peas", "I hate peas"),
        ("Don't forget to water the plants", "Don't forget to water the plants"),
        ("Remember to call Bob on Monday.", "Remember to call Bob on Monday."),
        ("Hi! Please keep in mind that I'm vegan. What's for dinner?", "I'm vegan."),
        (
            "remember this: the key rotates every 30 days. It lives in the vault.",
            "The key rotates every 30 days. It lives in the vault.",
        ),
    ],
)
def test_what_a_person_asks_to_keep(text: str, kept: str) -> None:
    assert remembrances(text, english(), PHRASES) == [Remembrance(content=kept)]


@pytest.mark.parametrize(
    "text",
    [
        "Do you remember that I like tea?",
        "I can't remember this song",
        "What did I ask you to remember?",
        "Remember when we went to Rome?",
        "Can you remember who I am?",
        "I note that this is odd",
        "I don't remember that",
        "Why can't you remember that I hate tea?",
        "hello there",
        "",
    ],
)
def test_talk_about_remembering_keeps_nothing(text: str) -> None:
    assert remembrances(text, english(), PHRASES) == []


def test_a_bare_request_points_at_the_message_before() -> None:
    assert remembrances("Remember this.", english(), PHRASES) == [Remembrance(content="")]


def test_privately_told_things_are_marked() -> None:
    (wish,) = remembrances("Note that, between us, I'm leaving in May.", english(), PHRASES)
    assert wish.private


def test_two_requests_in_one_message() -> None:
    text = "Remember that I drink tea. Also, don't forget my bike is red."
    assert [wish.content for wish in remembrances(text, english(), PHRASES)] == [
        "I drink tea.",
        "My bike is red.",
    ]


def test_an_agents_own_phrase() -> None:
    assert remembrances("Merk dir: Montag ist frei", english(), ("merk dir",)) == [
        Remembrance(content="Montag ist frei")
    ]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "Remember that my dentist is Dr. Okafor on Thursday at 10",
            "My dentist is Dr. Okafor on Thursday at 10",
        ),
        ("Remember that Mrs. Lenz has the key. Thanks!", "Mrs. Lenz has the key."),
        ("Merk dir: Prof. Weber kommt am Montag. Danke!", "Prof. Weber kommt am Montag."),
        ("Запомни, что проф. Иванов в отпуске", "Проф. Иванов в отпуске"),
    ],
)
def test_a_title_ends_no_sentence(said: str, kept: str) -> None:
    assert [
        one.content for one in remembrances(said, language(language_of(said)) or english())
    ] == [kept]
