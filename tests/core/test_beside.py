"""What a person typed, told from a file, a diff or a table beside it."""

import pytest

from skill_agent.text.beside import Parts, parted

DIFF = "diff --git a/x.py b/x.py\n@@ -1 +1 @@\n-import os\n+import sys"
TABLE = "region,month,eur\nNorth,Jan,3\nSouth,Jan,4"


@pytest.mark.parametrize(
    ("text", "words", "beside"),
    [
        (f"Review this, please.\n\n{DIFF}", "Review this, please.", DIFF),
        (f"Welche Region verkauft am meisten?\n\n{TABLE}", "Welche Region verkauft am meisten?",
         TABLE),
        (DIFF, "", DIFF),
        (TABLE, "", TABLE),
        ("def mean(xs): return sum(xs) / len(xs)", "", "def mean(xs): return sum(xs) / len(xs)"),
        ("What is wrong?\n```py\nx = 1\n```\nThanks!", "What is wrong?\nThanks!",
         "```py\nx = 1\n```\nThanks!"),
    ],
)  # fmt: skip
def test_its_form_tells_matter_from_words(text: str, words: str, beside: str) -> None:
    assert parted(text) == Parts(words, beside)


@pytest.mark.parametrize(
    "text",
    [
        "Hi Kyra!\n\nI moved to Bern last week. It is nice here.",
        "I like three things:\ntea\nbread\nquiet",
        "import duties on steel went up, is that bad for us?",
        "Let me think: class starts at nine, then I go home.",
        "Ich habe zwei Kinder, einen Hund, und eine Katze; alle sind laut.",
        "",
    ],
)
def test_what_people_write_in_a_chat_is_words(text: str) -> None:
    assert parted(text) == Parts(text, "")
