"""What a ledger is, whatever database holds it: chain, journal, replay, verification; no SQL."""
