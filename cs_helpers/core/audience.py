"""For whom tables and reports are: the names of the audiences, and how a run hands its key to the notebook.

Tables and reports may not import each other, and both have to mean the same.
"""

from __future__ import annotations

from cs_helpers.core.errors import ParameterError, did_you_mean

AUDIENCES = ("full", "shared", "shared+comments")
KEY_VARIABLE = "CS_HELPERS_PSEUDONYM_KEY"
NAMES_VARIABLE = "CS_HELPERS_TELL_NAMES"
"""Set by the report runner, which has to know what must not be in the report it publishes."""
MIN_KEY_LENGTH = 16


def check_audience(audience: object) -> str:
    """The audience, if there is one of that name. Raises ParameterError."""
    if audience not in AUDIENCES:
        raise ParameterError(
            f"audience: there is no '{audience}'.{did_you_mean(str(audience), AUDIENCES)} There are: "
            f"{', '.join(AUDIENCES)}."
        )
    return str(audience)
