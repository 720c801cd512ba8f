"""Audiences of tables and reports, and the environment variables by which a run passes its key to a notebook."""

from __future__ import annotations

from cs_helpers.core.errors import ParameterError, did_you_mean

AUDIENCES = ("full", "shared", "shared+comments")
KEY_VARIABLE = "CS_HELPERS_PSEUDONYM_KEY"
NAMES_VARIABLE = "CS_HELPERS_TELL_NAMES"
"""Set by the report runner, which checks that these names are not in the report it publishes."""
MIN_KEY_LENGTH = 16


def check_audience(audience: object) -> str:
    """The audience of that name. Raises ParameterError with the nearest name."""
    if audience not in AUDIENCES:
        raise ParameterError(
            f"audience: there is no '{audience}'.{did_you_mean(str(audience), AUDIENCES)} There are: "
            f"{', '.join(AUDIENCES)}."
        )
    return str(audience)
