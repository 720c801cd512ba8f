"""Mappings: YAML files, read strictly, that turn an export into the tables of the contract.

Every key is known or an error, every problem of a file is reported at once, and nothing is guessed. ``model`` has
the keys of a mapping, ``using`` builds one mapping on another, ``problems`` words the errors.
"""

from cs_helpers.data.mapping.model import Also, ChurnRecord, ExportMapping, Offset, Scale, TableMapping
from cs_helpers.data.mapping.reading import find_mapping, read_mapping
from cs_helpers.data.mapping.using import ready_mappings

__all__ = [
    "Also",
    "ChurnRecord",
    "ExportMapping",
    "Offset",
    "Scale",
    "TableMapping",
    "find_mapping",
    "read_mapping",
    "ready_mappings",
]
