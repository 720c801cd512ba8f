"""The design matrix of a model: feature columns (numbers, text) as numbers, the same in training and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError

MISSING, OTHER = "(missing)", "(other)"
_FENCE = 2.0  # a number beyond the middle 98 % by more than this many of its widths is taken as at the fence


@dataclass(frozen=True)
class _Number:
    """One standardised column; where enough rows lack the value, one that says so."""

    feature: str
    median: float
    centre: float
    scale: float
    low: float
    high: float
    flagged: bool


@dataclass(frozen=True)
class _Text:
    """One column of 0 and 1 for each level but the base; ``pooled`` are the rare ones that share a column."""

    feature: str
    base: str
    levels: tuple[str, ...]
    pooled: frozenset[str]


@dataclass(frozen=True, eq=False)
class Design:
    """How the columns are made. ``columns``: feature, level ("(missing)" and "(other)" among them), against (the base
    level), sd (the SD that one unit of a number's column stands for). Numbers have no level, levels no sd: missing.
    ``constant``: features left out because all training rows say the same."""

    columns: pd.DataFrame
    constant: tuple[str, ...]
    _parts: tuple[_Number | _Text, ...]

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows x (1 + columns), the first column ones. A missing number is the training median, a level never seen the
        base level. Raises ContractError for a column that is not there, or holds text instead of numbers."""
        made: list[Any] = [np.ones(len(frame))]
        for part in self._parts:
            if isinstance(part, _Number):
                values = numbers(frame, part.feature)
                lacks = np.isnan(values)
                filled = np.clip(np.where(lacks, part.median, values), part.low, part.high)
                if part.scale > 0:
                    made.append((filled - part.centre) / part.scale)
                if part.flagged:
                    made.append(lacks.astype(float))
            else:
                codes, found = _coded(frame, part.feature)
                # Of each level found (and one that never is), whether it counts in a column.
                made.extend(
                    np.array([level == each for each in found], float)[codes] for level in part.levels if level != OTHER
                )
                if OTHER in part.levels:
                    made.append(np.array([each in part.pooled for each in found], float)[codes])
        return np.column_stack(made)


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers (or True and False) rather than text."""
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise ContractError(f"column {name} is not there: give the columns the model was trained on")
    return frame[name]


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as floats, NaN where missing. Raises ContractError if it is absent, text, or infinite."""
    column = _column(frame, name)
    if not is_number(column) and not column.isna().all():
        raise ContractError(f"column {name} holds {column.dtype} instead of numbers: turn it into numbers")
    values = column.to_numpy(float, na_value=np.nan)
    if np.isinf(values).any():
        raise ContractError(f"column {name} holds infinite values: leave them out (missing) or correct them")
    return np.asarray(values)


def levels_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as text, "(missing)" where missing. Raises ContractError if it is absent or holds dates."""
    codes, found = _coded(frame, name)
    return pd.Series(np.array(found, object)[codes], index=frame.index, name=name, dtype=object).map(str)


def _coded(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, list[str]]:
    """Which of its texts each row of a column has, and those texts, in no order that matters; the last is missing."""
    column = _column(frame, name)
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise ContractError(f"column {name} holds dates: turn it into a number, such as days until the snapshot")
    if pd.api.types.infer_dtype(column, skipna=True) != "string":  # 1 and True are equal and read differently
        column = column.astype(object).map(str, na_action="ignore")
    codes, found = pd.factorize(column.to_numpy(object))
    return codes, [*map(str, found), MISSING]  # a missing value has the code -1


def build_design(frame: pd.DataFrame, features: Sequence[str], rarest: int = 30) -> Design:
    """The design of ``features`` as the rows of ``frame`` have them.

    Numbers are standardised; missing ones become the median, with a column that says so where ``rarest`` rows or more
    (and not all) are missing; values far outside (beyond the middle 98 % by more than twice its width) or outside what
    training saw count as at that limit. Text: one column per level with ``rarest`` rows or more, against the most
    frequent; the rarer ones together, if they have that many.
    """
    parts: list[_Number | _Text] = []
    rows: list[tuple[str, str | None, str | None, float]] = []
    constant: list[str] = []
    for name in features:
        numeric = name in frame.columns and is_number(frame[name])
        part = _number(numbers(frame, name), name, rarest) if numeric else _text(levels_of(frame, name), name, rarest)
        if part is None:
            constant.append(name)
            continue
        parts.append(part)
        if isinstance(part, _Text):
            rows += [(name, each, part.base, np.nan) for each in part.levels]
            continue
        if part.scale > 0:
            rows.append((name, None, None, part.scale))
        if part.flagged:
            rows.append((name, MISSING, "filled in", np.nan))
    columns = pd.DataFrame(rows, columns=["feature", "level", "against", "sd"])
    return Design(columns.astype({"level": object, "against": object, "sd": float}), tuple(constant), tuple(parts))


def typical_values(frame: pd.DataFrame, features: Sequence[str]) -> dict[str, Any]:
    """By feature: the median of a number (None if never recorded), the more frequent of True and False, the most
    frequent level of a text (the first of equals)."""
    found: dict[str, Any] = {}
    for name in features:
        column = frame[name].dropna()
        if not is_number(column):
            found[name] = _most_frequent(levels_of(frame, name).value_counts())
            continue
        middle = float(column.astype(float).median()) if len(column) else None
        found[name] = middle > 0.5 if middle is not None and pd.api.types.is_bool_dtype(column) else middle
    return found


def _number(values: np.ndarray, name: str, rarest: int) -> _Number | None:
    lacks = int(np.isnan(values).sum())
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    flagged = lacks >= rarest
    low, high = float(known.min()), float(known.max())
    first, last = (float(each) for each in np.quantile(known, [0.01, 0.99]))
    if last > first:
        width = _FENCE * (last - first)
        low, high = max(low, first - width), min(high, last + width)
    median = float(np.median(known))
    filled = np.clip(np.where(np.isnan(values), median, values), low, high)
    centre, scale = float(filled.mean()), float(filled.std())
    if scale <= 1e-12 * max(1.0, abs(centre)):
        scale = 0.0
    return _Number(name, median, centre, scale, low, high, flagged) if scale > 0 or flagged else None


def _text(texts: pd.Series, name: str, rarest: int) -> _Text | None:
    counts = texts.value_counts()
    own = counts[counts >= rarest]
    if own.empty:
        return None
    base = _most_frequent(own)
    pooled = counts[counts < rarest]
    levels = tuple(sorted(str(each) for each in own.index if each != base))
    if int(pooled.sum()) >= rarest:
        levels = (*levels, OTHER)
    return _Text(name, base, levels, frozenset(str(each) for each in pooled.index)) if levels else None


def _most_frequent(counts: pd.Series) -> str:
    return min(str(each) for each in counts.index[counts == counts.max()])
