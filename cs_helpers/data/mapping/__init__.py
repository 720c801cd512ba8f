"""What turns somebody's export into the contract: a YAML file, read strictly.

Every key is known or an error, every problem of a file is reported at once, and nothing is guessed. ``model`` says what
a mapping can say, ``using`` how one builds on another, ``problems`` puts what is wrong into words.
"""

from cs_helpers.data.mapping.model import Also, ChurnRecord, Mapping, Offset, Scale, TableMapping
from cs_helpers.data.mapping.reading import find_mapping, read_mapping
from cs_helpers.data.mapping.using import ready_mappings

__all__ = [
    "Also",
    "ChurnRecord",
    "Mapping",
    "Offset",
    "Scale",
    "TableMapping",
    "find_mapping",
    "read_mapping",
    "ready_mappings",
]
