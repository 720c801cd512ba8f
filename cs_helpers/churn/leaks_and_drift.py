"""Checks before a model is used: columns that give the outcome away, columns that changed since, too few events."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers.churn.design_matrix import MISSING, OTHER, is_number, levels_of, numbers
from cs_helpers.churn.model_validation import auc, ranks
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed

DRIFTED = 0.25
"""Population stability index from which a column counts as changed (the usual rule of thumb)."""

_BINS = 20
_MIN_RANGE_ROWS = 20  # rows a range or level needs before "nobody stayed in it" says anything
_MIN_EACH = 10  # who left and who stayed, to judge a column at all
_RARE = 30


def leaks(
    features: pd.DataFrame, churned: ArrayLike, threshold: float = 0.95, keys: ArrayLike | None = None
) -> pd.DataFrame:
    """Columns that predict the outcome too well to have been known before it (data leakage).

    A column is in the result (feature, auc, why; in the order of the columns) if

    - alone it tells who left with an AUC above ``threshold``: a number by its rank, either way round; any column by
      the churn rates of its ranges (20 of about equal size) or levels, each half of the rows judged by the rates of
      the other half, so that a name or number that occurs once knows nothing; or whether it is filled in at all;
    - it nearly decides: at least half of those who left lie in levels or ranges of values (20 rows or more each) in
      which nobody stayed, and at least half of those who stayed in ones in which nobody left.

    ``auc`` is the largest of the first kind. ``keys`` (such as account ids): rows that share one stay in the same
    half; without them the halves follow from what the rows say, never from their order. Nothing is judged with fewer
    than 10 who left or 10 who stayed. Raises ContractError if ``churned`` is missing or does not fit the rows.

    Example:
        >>> left = [True] * 30 + [False] * 30
        >>> cs.churn.leaks(pd.DataFrame({"status": ["closed"] * 30 + ["open"] * 30}), left)["feature"].tolist()
        ['status']
    """
    y = np.asarray(pd.Series(churned))
    if len(y) != len(features) or pd.isna(y).any():
        raise ContractError(f"{len(features)} rows and {len(y)} outcomes: give one outcome per row, none missing")
    y = y.astype(bool)
    found: list[dict[str, Any]] = []
    if min(y.sum(), (~y).sum()) >= _MIN_EACH:
        half = _halves(features, y, keys)
        for name in features.columns:
            codes, number = _codes(features[name]), is_number(features[name])
            area, how = _best_area(codes.copy(), number, y, half)
            why = [f"alone it tells who left with an AUC of {area:.2f} ({how})"] if area > threshold else []
            left, stayed = _decided(codes + 1, number, y)
            if left >= 0.5 and stayed >= 0.5:
                why.append(
                    f"it nearly decides: {left:.0%} of those who left have values at which nobody stayed, "
                    f"{stayed:.0%} of those who stayed have values at which nobody left"
                )
            if why:
                found.append({"feature": name, "auc": area, "why": "; ".join(why)})
    return pd.DataFrame(found, columns=["feature", "auc", "why"]).astype({"auc": float})


def drift(train: pd.DataFrame, now: pd.DataFrame, alarm: float = DRIFTED, level: float = 0.999) -> pd.DataFrame:
    """How far each column has moved since the model was trained: one row per column of ``train``, in its order.

        psi = sum over bins of (now share - train share) log(now share / train share)

    Bins: tenths of the training values (fewer where they repeat), or levels, those with fewer than 30 training rows
    taken together; missing is a bin of its own. Half a row is added to each bin on both sides. ``by_chance``: what
    sampling alone exceeds with probability 1 - ``level`` (chi² with bins - 1 degrees of freedom, times
    1 / n train + 1 / n now). ``alarm``: psi above both. ``unseen``: rows now with a level that training never had, and
    ``levels``: up to 10 of those, in order. Raises ContractError for a column that ``now`` lacks, or no rows.
    Source: Siddiqi 2006; Yurdakul & Naranjo 2020 for the distribution.

    Example:
        >>> then, today = pd.DataFrame({"logins": range(100)}), pd.DataFrame({"logins": range(60, 160)})
        >>> cs.churn.drift(then, today)["alarm"].tolist()
        [True]
    """
    if train.empty or now.empty:
        raise ContractError(f"{len(train)} training rows and {len(now)} rows now: drift needs rows on both sides")
    lacking = [name for name in train.columns if name not in now.columns]
    if lacking:
        raise ContractError(f"the rows now lack {lacking}: give them the columns the model was trained on")
    rows = []
    for name in train.columns:
        old, new, unseen = _binned(train[name], now[name])
        p, q = (old + 0.5) / (old + 0.5).sum(), (new + 0.5) / (new + 0.5).sum()
        psi = float(((q - p) * np.log(q / p)).sum())
        chance = _chi2(len(p) - 1, level) * (1 / len(train) + 1 / len(now))
        rows.append((name, psi, chance, psi > max(alarm, chance), len(unseen), tuple(sorted(set(unseen)))[:10]))
    return pd.DataFrame(rows, columns=["feature", "psi", "by_chance", "alarm", "unseen", "levels"])


def too_few_events(
    train: ArrayLike, test: ArrayLike, min_train: int = 50, min_test: int = 10, where: str = "the last snapshot"
) -> Suppressed | None:
    """The reason why outcomes (True: left) do not allow a model; None if they do.

    At least ``min_train`` who left and one who stayed among ``train``, and ``min_test`` and one among ``test``.
    """
    learn, check = np.asarray(train, bool), np.asarray(test, bool)
    both = np.concatenate([learn, check])
    if not both.any() or both.all():
        what = "nobody left" if not both.any() else "everybody left"
        return Suppressed(
            f"Among {len(both):,} rows {what}: a model needs {min_train} that left to learn from, and some that "
            "stayed. Check how churn is recorded, or wait for more history."
        )
    if learn.sum() < min_train:
        return Suppressed(
            f"{int(learn.sum())} of {len(learn):,} rows to learn from left, at least {min_train} are needed: with "
            "fewer, a model mostly learns chance. Add earlier snapshots or wait."
        )
    if check.sum() < min_test:
        return Suppressed(
            f"{int(check.sum())} of {len(check):,} rows in {where} left, at least {min_test} are needed to test a "
            "model. Use a longer window, or wait."
        )
    if learn.all() or check.all():
        return Suppressed(
            "Everybody left in the rows to learn from or to test on: some that stayed are needed on both sides. "
            "Check that the table holds those that stayed, too."
        )
    return None


def _codes(column: pd.Series) -> np.ndarray:
    """Which value each row has, counted from 0 in the order of the values; -1 where it is missing."""
    if not is_number(column):
        column = column.astype(object).where(column.notna(), None).map(str, na_action="ignore")
    return np.asarray(pd.factorize(column, sort=True)[0])


def _halves(features: pd.DataFrame, y: np.ndarray, keys: ArrayLike | None) -> np.ndarray:
    """Which half each row is in, by what it says (or its key): the same however the rows are ordered."""
    if keys is not None:
        names = pd.Series(np.asarray(keys, object)).map(str).astype(object)
        return np.asarray(pd.util.hash_array(names.to_numpy(object)) % 2).astype(int)
    text = pd.DataFrame({str(i): _codes(features.iloc[:, i]) for i in range(features.shape[1])})
    hashed = pd.util.hash_pandas_object(text, index=False).to_numpy()
    half = np.empty(len(y), int)
    half[np.lexsort((y, hashed))] = np.arange(len(y)) % 2
    return half


def _best_area(codes: np.ndarray, number: bool, y: np.ndarray, half: np.ndarray) -> tuple[float, str]:
    """The largest AUC of the column alone, given as ``_codes``, and what of it has that."""
    recorded = codes >= 0
    found: list[tuple[float, str]] = []  # of equal ones the first is named
    if not recorded.all():
        area = auc(recorded, y)
        found.append((max(area, 1 - area), "by whether it is filled in"))
    if number:
        kept = y[recorded]
        if min(kept.sum(), (~kept).sum()) >= _MIN_EACH:
            area = auc(codes[recorded], kept)
            found.append((max(area, 1 - area), "by its size"))
            places = ranks(codes[recorded]) - 0.5
            codes[recorded] = (places / len(places) * _BINS).astype(int)
        found.append((_cross_fitted(codes, y, half), "by its ranges"))
    else:
        found.append((_cross_fitted(codes, y, half), "by its levels"))
    return max(found, key=lambda each: each[0])


def _cross_fitted(codes: np.ndarray, y: np.ndarray, half: np.ndarray) -> float:
    """AUC of the churn rate of each code in the other half, drawn to the overall rate by one row."""
    groups, size = codes + 1, int(codes.max()) + 2
    base, score = float(y.mean()), np.empty(len(y))
    for side in (0, 1):
        other = half != side
        n = np.bincount(groups[other], minlength=size)
        left = np.bincount(groups[other], weights=y[other], minlength=size)
        rate = np.where(n > 0, (left + base) / (n + 1), base)
        score[~other] = rate[groups[~other]]
    return auc(score, y)


def _decided(codes: np.ndarray, number: bool, y: np.ndarray) -> tuple[float, float]:
    """Share of those who left (stayed) whose level or range of values, of 20 rows or more, holds nobody who stayed
    (left). ``codes`` count from 1, 0 is missing. The ranges of a number are the longest runs of values, in order, with
    one outcome only."""
    n = np.bincount(codes)
    left = np.bincount(codes, weights=y, minlength=len(n)).astype(int)
    kind = np.where(left == n, 1, np.where(left == 0, -1, 0))  # of each value: only left, only stayed, both
    run = np.arange(len(n))
    if number and len(n) > 2:
        values = np.flatnonzero(n)
        values = values[values > 0]  # 0 stands for missing, which is no neighbour of the smallest
        new = np.append(True, (kind[values][1:] != kind[values][:-1]) | (kind[values][1:] == 0))
        run[values] = values[new][np.cumsum(new) - 1]
    rows = np.bincount(run, weights=n, minlength=len(n))
    enough = rows[run] >= _MIN_RANGE_ROWS
    gone = int(left[(kind == 1) & enough].sum())
    kept = int((n - left)[(kind == -1) & enough & (n > 0)].sum())
    return gone / max(1, int(y.sum())), kept / max(1, int((~y).sum()))


def _binned(train: pd.Series, now: pd.Series) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rows per bin in training and now, and the levels of the rows now that training never had."""
    if is_number(train):
        old, new = (numbers(pd.DataFrame({train.name: each}), str(train.name)) for each in (train, now))
        known = old[~np.isnan(old)]
        edges = np.unique(np.quantile(known, np.arange(1, 10) / 10, method="inverted_cdf")) if len(known) else known
        counts = [
            np.bincount(np.where(np.isnan(v), len(edges) + 1, np.searchsorted(edges, v)), minlength=len(edges) + 2)
            for v in (old, new)
        ]
        used = (counts[0] + counts[1]) > 0
        return counts[0][used], counts[1][used], []
    texts = [levels_of(pd.DataFrame({train.name: each}), str(train.name)) for each in (train, now)]
    seen = texts[0].value_counts()
    own = set(seen.index[seen >= _RARE])
    bins = [each.where(each.isin(own), OTHER).value_counts() for each in texts]
    both = pd.concat(bins, axis=1).fillna(0).to_numpy(float)
    return both[:, 0], both[:, 1], texts[1][~texts[1].isin(seen.index) & (texts[1] != MISSING)].tolist()


def _chi2(degrees: int, level: float) -> float:
    """Upper quantile of chi² (Wilson & Hilferty 1931); 0 without a degree of freedom."""
    if degrees < 1:
        return 0.0
    z = stats.normal_quantile(2 * level - 1)
    part = 2 / (9 * degrees)
    return degrees * (1 - part + z * math.sqrt(part)) ** 3
