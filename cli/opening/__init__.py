"""How a process comes to a home: it attaches to the one that holds it, or holds it itself."""
