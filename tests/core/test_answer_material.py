"""What a reply about a table is worded from: real tables, and a model that writes given queries."""

from datetime import date

import pytest
from skill_agent.store.duckdb_tables.reader import DuckTables

from skill_agent.errors import ModelFailed, ToolFailed
from skill_agent.models.scripted import ScriptedModel
from skill_agent.text.strays import strays
from skill_agent.text.tables import find_table
from skill_agent.turns.fitting import LONGEST_SHARE, Tokens
from skill_agent.turns.tables import answer_material, query_in, shown
from skill_agent.values import Cell, RawTable

SALES = """\
region,product,date,units,price
North,Pen,2026-01-05,120,1.50
South,Pen,2026-01-17,80,1.50
East,Ink,2026-02-03,10,12.00
North,Ink,2026-02-11,14,11.50
"""
QUESTION = "Welche Region hat am meisten verkauft?"
GOOD = "SELECT region, SUM(units) AS total FROM data GROUP BY region ORDER BY total DESC LIMIT 1"


def sales(text: str = SALES) -> RawTable:
    table = find_table(f"{QUESTION}\n\n{text}")
    assert table is not None
    return table


async def material(model: ScriptedModel, table: RawTable | None = None) -> str:
    table = table or sales()
    return await answer_material(DuckTables(), table, table.around, model, Tokens())


async def test_a_query_of_the_models_is_run_and_told() -> None:
    model = ScriptedModel([f"```sql\n{GOOD};\n```"])
    told = await material(model)
    assert told.startswith(f"Computed from the table (4 rows):\n{GOOD}\n→\nregion | total\n")
    assert "North | 134" in told
    assert strays("North, with 134 units.", told) == []
    assert strays("North, with 214 units.", told) == ["214"]


async def test_only_what_the_query_is_about_is_told_beside_it() -> None:
    told = await material(ScriptedModel([GOOD]))
    assert "units by region:\nNorth: sum 134, mean 67, rows 2" in told
    assert "- units: sum 224, mean 56, smallest 10, largest 120" in told
    assert "price" not in told
    assert "month" not in told


async def test_the_prompt_is_short_and_its_beginning_the_same_for_every_table() -> None:
    model = ScriptedModel(otherwise=GOOD)
    await material(model)
    await material(model, sales("a,b\n1,2\n3,4"))
    first, second, *_ = model.requests
    system, user = first.messages
    assert system == second.messages[0]
    assert user.content == (
        "CREATE TABLE data (\n"
        "  region VARCHAR, -- \"region\", 'North', 'East', 'South'\n"
        "  product VARCHAR, -- \"product\", 'Ink', 'Pen'\n"
        '  date DATE, -- "date", 2026-01-05 to 2026-02-11\n'
        '  units BIGINT, -- "units", 10 to 120\n'
        '  price DOUBLE, -- "price", 1.5 to 12\n'
        ");\n"
        "The first 3 of 4 rows:\n"
        "region | product | date | units | price\n"
        "North | Pen | 2026-01-05 | 120 | 1.5\n"
        "South | Pen | 2026-01-17 | 80 | 1.5\n"
        "East | Ink | 2026-02-03 | 10 | 12\n\n"
        f"Question: {QUESTION}"
    )
    assert (first.temperature, first.max_tokens, first.tools) == (0.0, 160, ())
    assert len(system.content) + len(user.content) < 1_400


async def test_a_query_that_fails_is_tried_once_more_with_the_error() -> None:
    model = ScriptedModel(["SELECT sales FROM data", GOOD])
    told = await material(model)
    assert "North | 134" in told
    again = model.requests[1].messages[-1].content
    assert 'Referenced column "sales" not found' in again
    assert "There are no columns but region, product, date, units, price." in again
    assert len(model.requests) == 2


async def test_a_query_that_finds_nothing_is_tried_once_more() -> None:
    none = "SELECT SUM(units) FROM data WHERE region = 'north'"
    model = ScriptedModel([none, "SELECT SUM(units) FROM data WHERE region = 'North'"])
    assert "\n134" in await material(model)
    kept = await material(ScriptedModel([none, none]))
    assert kept.startswith(f"Computed from the table (4 rows):\n{none}")


@pytest.mark.parametrize(
    "replies",
    [
        ["SELECT nonsense", "I cannot do that."],
        ["SELECT * FROM read_text('/etc/passwd')", "COPY data TO 'x.csv'"],
        ["", ""],
    ],
)
async def test_without_a_query_the_profile_is_told(replies: list[str]) -> None:
    told = await material(ScriptedModel(replies))
    assert told.startswith("Computed from the table (4 rows):\n\nregion | product | date")
    assert "South | Pen | 2026-01-17 | 80 | 1.5" in told
    assert "- units: sum 224" in told
    assert "units by region:\nNorth: sum 134" in told
    assert "units by month of date:\n2026-01: sum 200" in told
    assert "root:" not in told


async def test_a_model_that_fails_costs_the_query_and_no_more() -> None:
    told = await material(ScriptedModel([[ModelFailed("it fell over")]]))
    assert "units by region:\nNorth: sum 134" in told


async def test_what_was_left_out_or_assumed_is_told() -> None:
    text = "day,units,price\n01/03/2026,1,10\n02/03/2026,2,20\n03/03/2026,3,30\nTotal,6,60"
    told = await material(ScriptedModel(otherwise="no query"), sales(text))
    assert "The table's last row, a total, was left out." in told
    assert "(3 rows)" in told
    assert "day: read with the month first" in told
    lines = ["n,square", *(f"{n},{n * n}" for n in range(60))]
    lines.insert(40, "# a remark")
    told = await material(ScriptedModel(otherwise="no query"), sales("\n".join(lines)))
    assert "1 line does not fit the table and was left out." in told


async def test_it_takes_its_share_of_the_window_and_no_more() -> None:
    wide = ",".join(f"column{n}" for n in range(60))
    rows = "\n".join(",".join(str(n * m) for n in range(60)) for m in range(2, 40))
    model = ScriptedModel(otherwise="SELECT * FROM data", context_window=2048)
    told = await material(model, sales(f"{wide}\n{rows}"))
    assert await model.count_tokens(told) <= 2048 // LONGEST_SHARE
    assert await model.count_tokens(model.requests[0].messages[1].content) < 2048 // 2


async def test_a_table_that_cannot_be_loaded_is_said() -> None:
    rows = tuple((f"x{n:0>900}", "1") for n in range(20_000))
    table = RawTable(header=("a", "b"), rows=rows, separator=",")
    with pytest.raises(ToolFailed, match="memory"):
        await answer_material(DuckTables(memory_limit="8MB"), table, "?", ScriptedModel(), Tokens())


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (None, ""),
        (True, "true"),
        (1234567, "1234567"),
        (1420.0499999999993, "1420.05"),
        (12809.133333, "12809.13"),
        (7.66666667, "7.6667"),
        (0.000123456, "0.000123"),
        (100.0, "100"),
        (date(2026, 3, 1), "2026-03-01"),
        ("two\nlines", "two lines"),
    ],
)
def test_cells_as_a_model_reads_them(cell: Cell, told: str) -> None:
    assert shown(cell) == told


@pytest.mark.parametrize(
    ("reply", "sql"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1;\nSELECT 2", "SELECT 1"),
        ("Here it is:\n```sql\nSELECT 1;\n```\nIt gives one.", "SELECT 1"),
        ("```\nWITH q AS (SELECT 1) FROM q", "WITH q AS (SELECT 1) FROM q"),
        ("The query is SELECT a\nFROM data", "SELECT a\nFROM data"),
        ("nothing", "nothing"),
        ("SELECT ';' FROM data;", "SELECT ';' FROM data"),
    ],
)
def test_the_query_in_a_reply(reply: str, sql: str) -> None:
    assert query_in(reply) == sql
