"""The index: LanceDB holds its rows, a copy resident in memory answers."""
