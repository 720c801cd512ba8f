"""One thin adapter per engine: register a table, run SQL, get Arrow or pandas back."""
