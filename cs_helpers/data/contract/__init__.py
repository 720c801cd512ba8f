"""The tables that the toolkit reads: what a row is, keys, columns, units, and the checks every row has to pass.

Parsing, pandera schemas, the data dictionary and messages are made from ``tables.TABLES``.
"""
