"""config.toml: its shape, its reading, its mistakes."""
