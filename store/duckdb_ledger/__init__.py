"""The ledger on DuckDB: every SQL statement, and nothing that another database could share."""
