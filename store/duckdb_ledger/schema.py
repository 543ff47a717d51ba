"""The ledger's tables and how older files become newer ones; no reading or writing of rows here.

Times are UTC in plain TIMESTAMP columns. `log` is append-only and hash-chained; every other table
can be derived from it (`messages` apart, whose contents stand only there and are sealed by it, and
`model_calls`, which nothing rests on).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from skill_agent.errors import LedgerBehind, LedgerTooNew, StoreError

from ..ledger.records import MEMORY_FIELDS, MESSAGE_FIELDS, SESSION_FIELDS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_COLUMNS = ", ".join(f'"{name}"' for name in MEMORY_FIELDS)
MESSAGE_COLUMNS = ", ".join(MESSAGE_FIELDS)
MESSAGE_TEXT = """concat_ws(
    chr(10), content, json_extract_string(client_context, '$.instructions'),
    json_extract_string(client_context, '$.earlier'),
    array_to_string(json_extract_string(client_context, '$.attachments[*].text'), chr(10)))"""
"""All that was said with a message."""
SESSION_COLUMNS = ", ".join(SESSION_FIELDS)

Migration = Callable[["DuckDBPyConnection"], None]


def create_first_tables(connection: "DuckDBPyConnection") -> None:
    """Version 1: sessions, messages, memories and the log they follow from."""
    connection.execute("""
        CREATE TABLE log (
            seq BIGINT PRIMARY KEY, logged_at TIMESTAMP NOT NULL, kind VARCHAR NOT NULL,
            entity VARCHAR NOT NULL, actor VARCHAR NOT NULL, reason VARCHAR NOT NULL,
            payload VARCHAR, nonce VARCHAR, digest VARCHAR NOT NULL,
            prev_hash VARCHAR NOT NULL, hash VARCHAR NOT NULL);
        CREATE TABLE mentions (entity VARCHAR NOT NULL, seq BIGINT NOT NULL);
        CREATE INDEX mentions_by_entity ON mentions (entity);
        CREATE TABLE sessions (
            id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, agent VARCHAR NOT NULL,
            created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL,
            messages INTEGER NOT NULL, archived BOOLEAN NOT NULL, seq BIGINT NOT NULL);
        CREATE TABLE messages (
            id VARCHAR PRIMARY KEY, session VARCHAR NOT NULL, turn VARCHAR NOT NULL,
            position INTEGER NOT NULL, role VARCHAR NOT NULL, content VARCHAR NOT NULL,
            created_at TIMESTAMP NOT NULL, agent VARCHAR,
            tool_calls VARCHAR NOT NULL, tool_call_id VARCHAR, state VARCHAR NOT NULL,
            usage VARCHAR, nonce VARCHAR, seq BIGINT NOT NULL);
        CREATE TABLE memories (
            id VARCHAR PRIMARY KEY, content VARCHAR NOT NULL,
            created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL,
            memory_type VARCHAR NOT NULL, subject VARCHAR, importance INTEGER NOT NULL,
            confidence DOUBLE NOT NULL, agent VARCHAR, "user" VARCHAR, speaker VARCHAR,
            status VARCHAR NOT NULL, tier VARCHAR NOT NULL, pinned BOOLEAN NOT NULL,
            source_session VARCHAR, source_messages VARCHAR NOT NULL,
            source_type VARCHAR NOT NULL, extraction_model VARCHAR, version INTEGER NOT NULL,
            superseded_by VARCHAR, contradicts VARCHAR NOT NULL, related_to VARCHAR NOT NULL,
            expires_at TIMESTAMP, metadata VARCHAR NOT NULL,
            first_seq BIGINT NOT NULL, seq BIGINT NOT NULL);
    """)


def add_projections_and_client_context(connection: "DuckDBPyConnection") -> None:
    """Version 2: what is folded from the log, empty until somebody asks; what client programs sent
    beside a message, NULL where it stands in the content of an older one."""
    connection.execute("""
        CREATE TABLE projections (
            name VARCHAR PRIMARY KEY, version INTEGER NOT NULL, kinds VARCHAR NOT NULL,
            seq BIGINT NOT NULL);
        CREATE TABLE projected (
            projection VARCHAR NOT NULL, key VARCHAR NOT NULL, state VARCHAR NOT NULL,
            PRIMARY KEY (projection, key));
        ALTER TABLE messages ADD COLUMN client_context VARCHAR;
    """)


def add_model_calls(connection: "DuckDBPyConnection") -> None:
    """Version 3: what was sent to models. Beside the log and no part of it, for it is to go again:
    `seq` says where the log stood when a call was written down."""
    connection.execute("""
        CREATE TABLE model_calls (
            id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, turn VARCHAR NOT NULL,
            session VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL, size BIGINT NOT NULL,
            content VARCHAR NOT NULL);
    """)


def add_origins(connection: "DuckDBPyConnection") -> None:
    """Version 4: who wrote a text; NULL in messages from before, which show it in part."""
    connection.execute("""
        ALTER TABLE messages ADD COLUMN origins VARCHAR;
        ALTER TABLE memories ADD COLUMN origins VARCHAR DEFAULT '[]';
    """)


def add_outcomes_and_zones(connection: "DuckDBPyConnection") -> None:
    """Version 5: what became of a tool call, and by whose clock a message was written; NULL in
    older ones, which do not tell."""
    connection.execute("""
        ALTER TABLE messages ADD COLUMN outcome VARCHAR;
        ALTER TABLE messages ADD COLUMN zone VARCHAR;
    """)


MIGRATIONS: tuple[Migration, ...] = (
    create_first_tables, add_projections_and_client_context, add_model_calls,
    add_origins, add_outcomes_and_zones,
)  # fmt: skip
"""Number n (from 1) turns version n-1 into version n; released ones never change."""

NEWEST = len(MIGRATIONS)


def stored_version(connection: "DuckDBPyConnection") -> int:
    """The file's schema version, 0 for an empty one; raises StoreError for a foreign database."""
    tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    if not tables:
        return 0
    if ("meta",) not in tables or ("log",) not in tables:
        raise StoreError(
            "The file is a DuckDB database, but not a ledger of this product.",
            hint="Choose another home, or move that file away.",
        )
    rows = connection.execute("SELECT schema_version FROM meta").fetchall()
    if len(rows) != 1:
        raise StoreError(
            f"The ledger states {len(rows)} schema versions where one is expected.",
            hint=LedgerBehind.ways_on,
        )
    return int(rows[0][0])


def check_version(version: int) -> None:
    """Raises LedgerTooNew for a version this code does not know."""
    if version > NEWEST:
        raise LedgerTooNew(
            f"This ledger has schema version {version}; this program knows up to {NEWEST}. "
            "Nothing was changed.",
            hint="Install the newer version of skill-agent that wrote it.",
        )


def migrate(
    connection: "DuckDBPyConnection", version: int, steps: tuple[Migration, ...] = MIGRATIONS
) -> None:
    """Brings the file from `version` to the newest, one transaction a step."""
    for number, step in enumerate(steps[version:], start=version + 1):
        connection.execute("BEGIN")
        if number == 1:
            connection.execute("CREATE TABLE meta (schema_version INTEGER NOT NULL)")
            connection.execute("INSERT INTO meta VALUES (0)")
        step(connection)
        connection.execute("UPDATE meta SET schema_version = ?", [number])
        connection.execute("COMMIT")
