"""Data: an export goes in; checked tables and small roll-ups come out."""
