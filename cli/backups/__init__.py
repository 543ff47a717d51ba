"""`ska backup`: making backups, looking through them, putting one in a home's place."""
