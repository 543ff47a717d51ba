"""Everything about a person: taken along, brought in, erased."""
