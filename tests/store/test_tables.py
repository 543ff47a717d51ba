"""Tables loaded into DuckDB: what is said of them, what may be asked, and what may not."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from skill_agent.store.duckdb_tables.loading import column_names
from skill_agent.store.duckdb_tables.permitted import LONGEST_QUERY
from skill_agent.store.duckdb_tables.reader import MOST_CHARACTERS, MOST_ROWS, DuckSheet, DuckTables

from skill_agent.errors import ToolFailed
from skill_agent.text.tables import find_table
from skill_agent.values import RawTable

SALES = """\
Region;Umsatz (EUR);Datum;Anteil;order;2024
Nord;1.234,50 €;01.02.2026;12 %;1;20
Süd;99,00 €;13.03.2026;5,5 %;2;40
Nord;9,00 €;14.03.2026;;4;41
"""


def table_in(text: str) -> RawTable:
    table = find_table(text)
    assert table is not None
    return table


@pytest.fixture
async def sheet() -> AsyncIterator[DuckSheet]:
    async with DuckTables().opened(table_in(SALES)) as opened:
        yield opened


# -- what is said of a table ---------------------------------------------------------------------


async def test_columns_have_plain_names_and_their_kinds(sheet: DuckSheet) -> None:
    columns = sheet.profile.columns
    assert [(one.name, one.kind) for one in columns] == [
        ("region", "text"),
        ("umsatz_eur", "number"),
        ("datum", "date"),
        ("anteil", "number"),
        ("order_", "integer"),
        ("_2024", "integer"),
    ]
    assert [one.unit for one in columns] == ["", "€", "", "%", "", ""]
    assert columns[1].label == "Umsatz (EUR)"


async def test_figures(sheet: DuckSheet) -> None:
    region, sold, day, share, *_ = sheet.profile.columns
    assert (sold.total, sold.mean, sold.least, sold.most) == (1342.5, 447.5, 9.0, 1234.5)
    assert region.common == (("Nord", 2), ("Süd", 1))
    assert (day.least, day.most) == (date(2026, 2, 1), date(2026, 3, 14))
    assert (share.empty, share.distinct) == (1, 2)
    assert sheet.profile.rows == len(sheet.profile.sample) == 3


async def test_sums_by_group_and_by_month(sheet: DuckSheet) -> None:
    groups = {(one.by, one.of): one.rows for one in sheet.profile.groups}
    assert groups["region", "umsatz_eur"] == (
        ("Nord", 2, 1243.5, 621.75),
        ("Süd", 1, 99.0, 99.0),
    )
    assert groups["datum", "umsatz_eur"] == (
        ("2026-02", 1, 1234.5, 1234.5),
        ("2026-03", 2, 108.0, 54.0),
    )


async def test_a_running_number_is_not_added_up_and_a_year_makes_groups() -> None:
    rows = "\n".join(f"{n},{2023 + n % 2},{n * n}" for n in range(1, 9))
    async with DuckTables().opened(table_in(f"id,year,value\n{rows}")) as sheet:
        assert {(one.by, one.of) for one in sheet.profile.groups} == {("year", "value")}


async def test_a_table_without_names() -> None:
    async with DuckTables().opened(table_in("North,120\nSouth,80\nEast,12")) as sheet:
        assert [one.name for one in sheet.profile.columns] == ["column1", "column2"]
        assert (await sheet.query("SELECT sum(column2) FROM data")).rows == ((212,),)


def test_names_are_plain_and_each_stands_once() -> None:
    labels = ["Größe (m²)", "order", "data", "2024", "", "A-B", "a b", "名前", "x" * 99]
    assert column_names(labels, frozenset({"order"})) == (
        "größe_m²".casefold(), "order_", "data_", "_2024", "column5", "a_b", "a_b_2", "名前",
        "x" * 40,
    )  # fmt: skip


async def test_texts_in_cells_are_only_texts() -> None:
    text = 'name,n\n"x\'); DROP TABLE data; --",1\n\'""\',2\n"a""b",3'
    async with DuckTables().opened(table_in(text)) as sheet:
        assert sheet.profile.rows == 3
        rows = (await sheet.query("SELECT name FROM data ORDER BY n")).rows
        assert rows[0] == ("x'); DROP TABLE data; --",)


async def test_two_tables_know_nothing_of_each_other(sheet: DuckSheet) -> None:
    async with DuckTables().opened(table_in("a,b\n1,2\n3,4")) as other:
        assert (await other.query("SELECT sum(a) FROM data")).rows == ((4,),)
        assert (await sheet.query("SELECT count(*) FROM data")).rows == ((3,),)


async def test_a_large_table() -> None:
    lines = ["n,kind,value", *(f"{n},k{n % 7},{n % 100}.5" for n in range(20_000))]
    async with DuckTables().opened(table_in("\n".join(lines))) as sheet:
        assert sheet.profile.rows == 20_000
        found = await sheet.query("SELECT count(*) FROM data WHERE kind = 'k3'")
        assert found.rows == ((2857,),)


async def test_a_table_that_is_too_large_is_refused() -> None:
    cells = tuple((f"x{n:0>900}", "1") for n in range(20_000))
    table = RawTable(header=("a", "b"), rows=cells, separator=",")
    with pytest.raises(ToolFailed, match="memory"):
        async with DuckTables(memory_limit="8MB").opened(table):
            raise AssertionError("it was opened")


# -- what may be asked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT region, SUM(umsatz_eur) AS s FROM data GROUP BY region HAVING s > 1 ORDER BY s",
        "select region from data where datum >= date '2026-03-01' and region in ('Nord', 'Süd');",
        "SELECT month(datum), avg(umsatz_eur) FROM data GROUP BY ALL ORDER BY ALL",
        "SELECT strftime(datum, '%Y-%m') m, round(100.0 * sum(umsatz_eur) / (SELECT sum(umsatz_eur)"
        " FROM data), 1) FROM data GROUP BY m",
        "WITH q AS (SELECT region r, sum(umsatz_eur) s FROM data GROUP BY 1) "
        "SELECT r FROM q WHERE s = (SELECT max(s) FROM q) UNION ALL SELECT 'all'",
        "SELECT region, rank() OVER (ORDER BY umsatz_eur DESC) FROM data QUALIFY "
        "row_number() OVER (PARTITION BY region ORDER BY datum) = 1",
        "SELECT a.region, b.datum FROM data a JOIN data b USING (region) WHERE a.datum < b.datum",
        "SELECT CASE WHEN umsatz_eur > 50 THEN 'much' ELSE 'little' END, count(*) FILTER (WHERE "
        "anteil IS NULL) FROM data GROUP BY 1",
        "SELECT median(umsatz_eur), quantile_cont(umsatz_eur, 0.9), stddev(umsatz_eur), "
        "arg_max(region, umsatz_eur), corr(umsatz_eur, anteil) FROM data",
        "SELECT date_trunc('month', datum), datum + INTERVAL 1 MONTH, extract(year FROM datum), "
        "date_diff('day', min(datum) OVER (), datum) FROM data",
        "SELECT upper(region) || '!' FROM data WHERE region ILIKE 'n%' AND region NOT LIKE 'x_'",
        "SELECT _2024 / 3, _2024 // 3, _2024 % 3, -_2024, coalesce(anteil, 0), "
        "try_cast(region AS INTEGER), umsatz_eur::DECIMAL(12, 2), nullif(order_, 1) FROM data",
        "FROM data SELECT * EXCLUDE (region) LIMIT 2",
        "VALUES (1), (2)",
    ],
)
async def test_queries_that_people_ask(sheet: DuckSheet, sql: str) -> None:
    assert (await sheet.query(sql)).rows


async def test_rows_and_characters_are_bounded() -> None:
    lines = ["n,words", *(f"{n},{'w' * 150} {n}" for n in range(200))]
    async with DuckTables().opened(table_in("\n".join(lines))) as sheet:
        many = await sheet.query("SELECT n FROM data")
        assert (len(many.rows), many.more) == (MOST_ROWS, True)
        long = await sheet.query("SELECT * FROM data")
        assert long.more
        assert 5 < len(long.rows) < MOST_ROWS
        assert sum(len(str(cell)) for row in long.rows for cell in row) <= MOST_CHARACTERS
        few = await sheet.query("SELECT n FROM data LIMIT 3")
        assert (len(few.rows), few.more) == (3, False)


async def test_a_mistake_is_told_in_words_a_model_can_use(sheet: DuckSheet) -> None:
    with pytest.raises(ToolFailed, match="umsatz_eur"):
        await sheet.query("SELECT umsatz FROM data")
    with pytest.raises(ToolFailed, match="syntax error"):
        await sheet.query("SELEC 1")
    with pytest.raises(ToolFailed) as problem:
        await sheet.query("SELECT sum(datum) FROM data")
    assert "Candidate" not in problem.value.message
    with pytest.raises(ToolFailed, match="empty"):
        await sheet.query(" ; ")


# -- what may not --------------------------------------------------------------------------------

READING = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{home}/secret.txt')",
    "SELECT * FROM read_csv('{home}/secret.csv')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_json('{home}/secret.json')",
    "SELECT * FROM read_parquet('x.parquet')",
    "SELECT * FROM '{home}/secret.csv'",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('{home}/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_metadata('x.parquet')",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "WITH q AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM q",
    "SELECT * FROM data WHERE region IN (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM data UNION SELECT content, 1, NULL, 1, 1, 1 FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
    "SELECT * FROM 'https://127.0.0.1:1/x.parquet'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT getenv('HOME')",
    "SELECT getvariable('x')",
    "SELECT current_setting('home_directory')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "SELECT * FROM duckdb_settings",
    "WITH duckdb_databases AS (SELECT 1) SELECT * FROM duckdb_databases",
    'WITH "{home}/secret.csv" AS (SELECT 1) SELECT * FROM "{home}/secret.csv"',
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT * FROM system.main.duckdb_tables",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('data')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT main.sum(_2024) FROM data",
    "SELECT current_database(), version(), current_query()",
    "SELECT * FROM pragma_version()",
    "DESCRIBE data",
    "SUMMARIZE data",
    "SHOW TABLES",
]
CHANGING = [
    "COPY data TO '{home}/out.csv'",
    "COPY (SELECT 1) TO '{home}/out.csv'",
    "COPY data FROM '/etc/passwd'",
    "EXPORT DATABASE '{home}/out'",
    "IMPORT DATABASE '{home}'",
    "ATTACH '{home}/other.db'",
    "ATTACH ':memory:' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "PRAGMA enable_external_access",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "CREATE SECRET s (TYPE s3)",
    "INSERT INTO data SELECT * FROM data",
    "UPDATE data SET region = 'x'",
    "DELETE FROM data",
    "DROP TABLE data",
    "TRUNCATE data",
    "ALTER TABLE data RENAME TO x",
    "USE memory",
    "CHECKPOINT",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE data",
    "SELECT nextval('s'), setval('s', 1)",
    "SELECT write_log('x')",
    "SELECT * FROM enable_logging()",
    "SELECT * FROM checkpoint()",
]
BOMBS = [
    "WITH RECURSIVE x AS (SELECT 1 a UNION ALL SELECT a + 1 FROM x) SELECT max(a) FROM x",
    "WITH RECURSIVE x AS (SELECT 'a' s UNION ALL SELECT s || s FROM x) SELECT max(len(s)) FROM x",
    "SELECT * FROM range(1000000000000)",
    "SELECT count(*) FROM range(1000000000000)",
    "SELECT count(*) FROM generate_series(1, 1000000000000)",
    "SELECT len(range(100000000))",
    "SELECT unnest(range(1000000000))",
    "SELECT list_resize([1], 2000000000)",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT format('{{:>2000000000}}', 'x')",
    "SELECT printf('%2000000000d', 1)",
    "SELECT bitstring('1', 2000000000)",
    "SELECT replace(replace('aaaa', 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa')",
    "SELECT sleep_ms(100000)",
    "SELECT pg_sleep(100)",
    "SELECT levenshtein(region, region) FROM data",
    "SELECT string_agg(region) FROM data",
    "SELECT NULL::INTEGER[100000][100000]",
    "SELECT list_reduce([1, 2], lambda x, y: x + y)",
    "SELECT $1",
    f"SELECT {'abs(' * 380}1{')' * 380}",
    f"SELECT {'||'.join(['region'] * 20)} FROM data",
    "WITH a AS (SELECT concat(region, region, region) s FROM data), b AS (SELECT concat(s, s, s) s "
    "FROM a), c AS (SELECT concat(s, s, s) s FROM b) SELECT s FROM c",
    f"SELECT {'1 + ' * LONGEST_QUERY}1",
    "SELECT * FROM (PIVOT data ON region USING sum(_2024))",
]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder with files nobody may read."""
    for name in ("secret.txt", "secret.csv", "secret.json"):
        (tmp_path / name).write_text('{"a": "hidden"}\n', encoding="utf-8")
    return tmp_path


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


@pytest.mark.parametrize("attacks", [READING, CHANGING, BOMBS], ids=["read", "change", "bomb"])
async def test_everything_else_is_refused(
    sheet: DuckSheet, secret: Path, attacks: list[str]
) -> None:
    before, let_through = names_in(secret), list[str]()
    for sql in attacks:
        try:
            result = await sheet.query(sql.format(home=secret))
        except ToolFailed as problem:
            assert "hidden" not in problem.message
            assert "root:" not in problem.message
        else:
            let_through.append(f"{sql}: {result}")
    assert let_through == []
    assert names_in(secret) == before
    assert (await sheet.query("SELECT count(*), sum(_2024) FROM data")).rows == ((3, 101),)


async def test_the_database_itself_refuses_too(sheet: DuckSheet, secret: Path) -> None:
    """Behind the list of what is allowed stand settings that nothing can change."""
    import duckdb

    for sql in (
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY data TO '{home}/out.csv'",
        "ATTACH '{home}/other.db'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
        "LOAD httpfs",
    ):
        with pytest.raises(duckdb.Error):
            sheet._connection.execute(sql.format(home=secret))
    assert not {"out.csv", "other.db"} & {*names_in(secret)}


async def test_a_query_that_takes_too_long_is_ended() -> None:
    async with DuckTables(time_limit_s=0.3, memory_limit="4GB").opened(_squares()) as sheet:
        started = time.monotonic()
        with pytest.raises(ToolFailed, match="longer than"):
            await sheet.query(_endless())
        assert time.monotonic() - started < 20
        assert (await sheet.query("SELECT count(*) FROM data")).rows == ((400,),)


async def test_a_query_that_takes_too_much_memory_is_ended() -> None:
    limited = DuckTables(time_limit_s=60, memory_limit="32MB")
    async with limited.opened(_squares()) as sheet:
        with pytest.raises(ToolFailed, match="memory"):
            await sheet.query("SELECT a.n, b.n, c.n FROM data a, data b, data c ORDER BY a.n + b.n")
        assert (await sheet.query("SELECT count(*) FROM data")).rows == ((400,),)


async def test_a_cancelled_query_leaves_nothing_behind() -> None:
    async with DuckTables(time_limit_s=600).opened(_squares()) as sheet:
        task = asyncio.create_task(sheet.query(_endless()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def _squares() -> RawTable:
    return table_in("n,square\n" + "\n".join(f"{n},{n * n}" for n in range(400)))


def _endless() -> str:
    """A product of tables that no memory holds and nobody would wait for."""
    names = "abcdef"
    tables = ", ".join(f"data {one}" for one in names)
    return f"SELECT sum({' * '.join(f'{one}.n' for one in names)} % 7) FROM {tables}"


async def test_no_file_is_made_where_it_runs(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        async with DuckTables(memory_limit="32MB").opened(_squares()) as sheet:
            with pytest.raises(ToolFailed):
                await sheet.query("SELECT * FROM data a, data b, data c ORDER BY a.n + b.n + c.n")
        assert names_in(tmp_path) == []
    finally:
        os.chdir(before)
