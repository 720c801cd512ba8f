"""cs-helpers."""
