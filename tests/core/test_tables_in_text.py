"""Tables in a text, by their structure, and what only looks like one."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.text.tables import find_table
from skill_agent.values import RawTable

SALES = "region,product,units\nNorth,Pen,120\nSouth,Pen,80\nNorth,Ink,10"
WANTED = (("North", "Pen", "120"), ("South", "Pen", "80"), ("North", "Ink", "10"))
HEADER = ("region", "product", "units")


def found(text: str) -> RawTable:
    table = find_table(text)
    assert table is not None
    return table


@pytest.mark.parametrize(
    "text",
    [
        SALES,
        f"Which region sold most?\n\n{SALES}",
        f"Which region sold most?\n{SALES}\n",
        f"Which region sold most?\n\n\ufeff{SALES}",
        f"Which region sold most?\n\n```csv\n{SALES}\n```\n\nThanks!",
        f"Which region, by the way, sold most?\n\n~~~\n{SALES}\n~~~",
        SALES.replace("\n", "\r\n"),
        SALES.replace("\n", "\r"),
        SALES.replace(",", ";"),
        f"sep=;\n{SALES.replace(',', ';')}",
        SALES.replace(",", "\t"),
        SALES.replace(",", "|"),
        SALES.replace(",", ", "),
        SALES.replace(",", ",\t").replace("\t", " "),
        SALES.replace("\n", ",\n") + ",",
        f"{SALES}\nWhich region sold most?",
        f"{SALES}\n\nWhich region sold most, and why?",
        '"region","product","units"\n"North","Pen","120"\n"South","Pen","80"\n"North","Ink","10"',
    ],
)
def test_the_same_table_in_many_dresses(text: str) -> None:
    table = found(text)
    assert table.header == HEADER
    assert table.rows == WANTED


def test_markdown_with_and_without_bars_at_the_sides() -> None:
    sided = "| region | units |\n|:---|--:|\n| **North** | 1 |\n| South \\| East | 2 |"
    bare = "region | units\n-------+------\n North | 1\n South | 2\n(2 rows)"
    assert found(sided).rows == (("North", "1"), ("South | East", "2"))
    assert found(bare).rows == (("North", "1"), ("South", "2"))
    assert found(bare).after == "(2 rows)"


def test_objects_in_an_array_within_an_object_and_one_a_line() -> None:
    wanted = (("North", "1.5", ""), ("South", "2", "true"))
    array = '[{"region": "North", "units": 1.5},\n {"region": "South", "units": 2, "new": true}]'
    lines = '{"region": "North", "units": 1.5}\n{"region": "South", "units": 2, "new": true}'
    within = f'{{"ok": true, "items": {array}}}'
    for text in (array, lines, within):
        table = found(f"How many?\n\n{text}\n\nThanks")
        assert table.header == ("region", "units", "new")
        assert table.rows == wanted
        assert table.separator == "json"
        assert table.around == "How many?\n\nThanks"


def test_tabs_that_stripping_took_are_put_back() -> None:
    text = "\tregion\tunits\tremark\n0\tNorth\t5\tgood\n1\tSouth\t7\t\n2\tEast\t9\t\t\n"
    table = found(f"How many?\n\n{text.strip()}")
    assert table.header == ("", "region", "units", "remark")
    assert table.rows[-1] == ("2", "East", "9", "")


def test_the_question_is_what_stands_around() -> None:
    table = found(f"Which region sold most?\n\n```\n{SALES}\n```\n\nIn one sentence.")
    assert (table.before, table.after) == ("Which region sold most?", "In one sentence.")


def test_a_table_without_names_has_empty_ones() -> None:
    table = found("North,120\nSouth,80\nEast,12")
    assert table.header == ("", "")
    assert len(table.rows) == 3


def test_columns_may_be_called_by_years() -> None:
    table = found("country,2023,2024,2025\nNorway,1,2,3\nChile,4,5,6")
    assert table.header == ("country", "2023", "2024", "2025")


def test_a_row_with_a_year_is_no_header() -> None:
    assert found("North,2023,5\nSouth,2024,6\nEast,2025,7").header == ("", "", "")


def test_quotes_hold_separators_lines_and_quotes() -> None:
    table = found('name,said,times\nA,"x, y\n\nz",1\nB,"c ""d""",2')
    assert table.rows == (("A", "x, y\n\nz", "1"), ("B", 'c "d"', "2"))


def test_a_quotation_mark_without_its_pair_is_a_letter() -> None:
    table = found('"size,count\n5",1\n6",2\n7",3')
    assert len(table.rows) == 3


def test_a_decimal_comma_is_no_separator() -> None:
    table = found("Ort;Preis;Menge\nBern;1,5;2,5\nBasel;2,5;3,5")
    assert table.header == ("Ort", "Preis", "Menge")
    assert table.rows[0] == ("Bern", "1,5", "2,5")


def test_odd_lines_in_a_long_table_are_counted() -> None:
    lines = ["n,square", *(f"{n},{n * n}" for n in range(60))]
    lines.insert(40, "# a remark")
    table = found("\n".join(lines))
    assert (len(table.rows), table.skipped) == (60, 1)


def test_the_largest_table_is_taken() -> None:
    assert len(found(f"a,b\n1,2\n3,4\n\nand\n\n{SALES}").header) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello, how are you?",
        "a,b\n1,2",
        "I like apples, pears, and plums.\nYou like cars, bikes, and boats.\n"
        "They like dogs, cats, and birds.",
        "Ich mag Äpfel, Birnen, und Pflaumen.\nDu magst Autos, Räder, und Boote.\n"
        "Sie mögen Hunde, Katzen, und Vögel.",
        "On Monday, 3 people came by.\nOn Tuesday, 5 people came by.\nOn Friday, 9 came.",
        "Dear Tom, thanks for the book\nbest, Ann\nPS, call me",
        "Monday, 3 March 2026\nTuesday, 4 March 2026\nWednesday, 5 March 2026",
        "12 Main St, Springfield, IL\n5 Oak Ave, Portland, OR\n9 Elm Rd, Austin, TX",
        "Berlin 3,769,495\nParis 2,148,271\nRome 2,873,000",
        "Butter 3,50\nBrot 4,25\nMilch 1,19",
        "- milk, 2 l\n- bread, 1\n- eggs, 6",
        "1. milk, 2\n2. bread, 1\n3. eggs, 6",
        "> milk, 2\n> bread, 1\n> eggs, 6",
        "2026-01-01 12:00:00,123 INFO started\n2026-01-01 12:00:01,124 INFO worker up\n"
        "2026-01-01 12:00:02,999 ERROR lost it",
        "level=info, msg=started, took=5\nlevel=info, msg=x, took=6\nlevel=warn, msg=y, took=7",
        '127.0.0.1 - - [10/Oct/2000] "GET / HTTP/1.0" 200 "Mozilla (KHTML, like Gecko)"\n' * 4,
        "diff --git a/x b/x\n@@ -1,3 +1,3 @@\n a,b\n-1,2\n+1,3\n c,d",
        "--- a/x.csv\n+++ b/x.csv\n a,1\n-b,2\n+b,3\n c,4",
        "```diff\n a,1\n-b,2\n+b,3\n c,4\n```",
        "def f(a, b):\n    return g(a, b)\n\ndef h(c, d):\n    return c, d\n",
        "int a = 5;\nint b = 6;\nint c = 7;\nint d = 8;",
        "    foo(1, 2),\n    foo(3, 4),\n    foo(5, 6),",
        "x = [\n  1, 2, 3,\n  4, 5, 6,\n  7, 8, 9,\n]",
        "import a, b\nimport c, d\nimport e, f",
        "cat a | grep b\nls | wc\nps | sort",
        "\tfoo = 1\n\tbar = 2\n\tbaz = 3",
        '{"name": "x", "version": "1", "scripts": {"a": "b"}}',
        '{"a": 1}\n{"b": 2}\n{"c": 3}\n{"d": 4}',
        "[1, 2, 3]\n[4, 5, 6]",
        "# Title\n\n---\n\nSome text, with a comma\n\n- - -\n",
    ],
)
def test_what_only_looks_like_a_table(text: str) -> None:
    assert find_table(text) is None


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(st.text(st.sampled_from("ab1,;|\t\"'\n-{}[]:`. é"), max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    table = find_table(text)
    if table is not None:
        assert all(len(row) == len(table.header) for row in table.rows)


@given(st.lists(st.tuples(WORDS, st.integers(0, 10**6)), min_size=3, max_size=8))
def test_what_a_program_wrote_is_read_back(rows: list[tuple[str, int]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name of it", "count of it"])
    writer.writerows([(f"n{word}", number) for word, number in rows])
    table = find_table(text.getvalue())
    if table is not None and table.separator == ",":
        assert [row[1] for row in table.rows] == [str(number) for _, number in rows]


def test_it_is_quick_on_what_is_no_table() -> None:
    """Some megabytes of prose; a search that began anew at each line would take minutes."""
    assert find_table("I like it, and so on; a | b\nyes, no, maybe\n" * 30_000) is None
    assert find_table("{\n" * 50_000) is None
    assert find_table("```x\n" * 50_000) is None
    assert find_table(f"a | b\n{' ' * 100_000}|-x\n") is None
    assert find_table(f"{'a ' * 50_000}1,2\n" * 3) is None
