"""Checks the arguments of a roll-up; all problems are reported together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.data.rollups.catalogue import Parameter, Rollup

if TYPE_CHECKING:
    from cs_helpers.data.rollups.calendars import Values


def values(rollup: Rollup, parameters: Mapping[str, Any]) -> Values:
    """Every parameter's value, defaults filled in; ParameterError with everything that is wrong."""
    wrong = [
        f"{rollup.name}: unknown parameter '{name}'. It takes: {', '.join(rollup.parameters)}."
        f"{did_you_mean(name, list(rollup.parameters))}"
        for name in parameters
        if name not in rollup.parameters
    ]
    found: Values = {}
    for name, parameter in rollup.parameters.items():
        value = parameters.get(name)
        if value is None and parameter.needed:
            wrong.append(f"{rollup.name}: parameter '{name}' is missing: {parameter.meaning}.")
        elif value is None:
            found[name] = parameter.default
        else:
            found[name], problem = _checked(value, parameter)
            if problem:
                wrong.append(f"{rollup.name}: {name} = {value!r}: {problem}.")
    if wrong:
        raise ParameterError("\n".join(wrong))
    return found


def _checked(value: Any, parameter: Parameter) -> tuple[Any, str]:
    """The value in its type, and what is wrong with it or nothing."""
    if parameter.kind == "date":
        try:
            day = pd.Timestamp(value).normalize()
        except (ValueError, TypeError):
            return None, "it is not a date; write it as YYYY-MM-DD, for example 2026-07-01"
        return (None, "it is not a date") if pd.isna(day) else (day, "")
    if parameter.kind == "integer":
        if not _whole(value) or int(value) < parameter.minimum:
            return None, f"give a whole number from {parameter.minimum} on"
        value = int(value)
    elif parameter.kind == "flag" and not isinstance(value, bool):
        return None, "give True or False"
    elif parameter.kind == "text" and not isinstance(value, str):
        return None, "give a text"
    if parameter.one_of and value not in parameter.one_of:
        near = did_you_mean(value, parameter.one_of) if isinstance(value, str) else ""
        return None, f"choose {' or '.join(map(str, parameter.one_of))}{near}"
    return value, ""


def _whole(value: Any) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or hasattr(value, "__index__"))
