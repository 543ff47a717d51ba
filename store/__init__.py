"""Where a home's truth and its index lie.

`ledger` says what a ledger is in no database's words, `duckdb_ledger` keeps one, `lance_index`
answers recall from a projection of it; `duckdb_tables` computes with tables that are handed over,
and keeps nothing. How items are ranked is the core's to say
(`skill_agent.memory`); `lance_index` carries that out over what it holds.
"""
