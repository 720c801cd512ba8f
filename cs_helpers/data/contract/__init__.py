"""The tables the toolkit reads: grain, key, columns, units, and the checks every row has to pass.

``TABLES`` is the contract. Parsing, the pandera schemas, the dictionary and the messages are built from it, so one
more column is one more entry. This package is the only home of pandera.
"""
