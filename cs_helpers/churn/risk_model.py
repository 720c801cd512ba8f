"""Which accounts are likely to leave next: a logistic or boosted model, tested once on the latest known outcomes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.churn import leaks_and_drift, model_validation
from cs_helpers.churn.design_matrix import Design, build_design, is_number, levels_of, numbers, typical_values
from cs_helpers.churn.model_validation import Calibration, Top
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record, Result, Suppressed
from cs_helpers.core.stats.logistic import Logistic, log_loss, logistic, probability_of
from cs_helpers.core.stats.threads import one_thread

_RIDGES = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3)  # the last still keeps a separated column finite
_TRAIN, _CHOICE, _TEST = 0, 1, 2
_KEYS = ("account_id", "snapshot", "churned", "due_date")

# Variance of the level from one snapshot to the next, and around itself, of which the likeliest pair is taken.
_LEVELS = ((0, 0), (0, 0.03), (0, 0.1), (0.01, 0), (0.04, 0), (0.16, 0), (0.01, 0.03), (0.04, 0.03))


@dataclass(frozen=True, repr=False)
class Challenger(Record):
    """Gradient boosting against the logistic model on the snapshot before the test: log loss per row, boosted minus
    logistic, with its paired interval over accounts. Below 0: boosting predicts better. ``used`` if the whole interval
    is."""

    difference: float
    low: float
    high: float
    used: bool


@dataclass(frozen=True, eq=False, repr=False)
class RiskModel(Record):
    """A model of who leaves, its one test, and the scores for the present.

    ``kind``: "logistic" or "boosted". Tested: the kind fitted on ``train_rows`` rows with ``train_events`` that left,
    on ``test_rows`` others: the last snapshot (``out_of_time``), or a fifth of the accounts where there were fewer than
    three snapshots (``test_snapshot`` None), which flatters: it knows the period it predicts. ``auc``, ``brier``,
    ``brier_skill``, ``calibration``, ``reliability`` and ``top`` (the ``capacity`` highest scores) are of that test.

    Scores: fitted again on all rows. ``level_shift``: log odds added because the latest snapshots lie above (below)
    the average. ``coefficients``: always of the logistic model, largest first: feature, level, against, sd, log_odds
    (of one SD of a number, or of a level against the base level), low, high, odds_ratio; shrunken by ``ridge``, and
    associations, not effects. ``dropped``: feature and why, leaks among them; ``leaks``: see
    ``leaks_and_drift.leaks``. ``challenger`` is None where boosting was not tried.
    """

    kind: str
    out_of_time: bool
    features: tuple[str, ...]
    train_rows: int
    train_events: int
    test_snapshot: pd.Timestamp | None
    test_rows: int
    test_events: int
    auc: float
    auc_low: float
    auc_high: float
    brier: float
    brier_skill: float
    calibration: Calibration
    reliability: pd.DataFrame
    top: Top
    capacity: int
    ridge: float
    level_shift: float
    coefficients: pd.DataFrame
    dropped: pd.DataFrame
    leaks: pd.DataFrame
    challenger: Challenger | None
    typical: dict[str, Any]
    _design: Design = field(repr=False)
    _model: Logistic = field(repr=False)
    _boosted: Any = field(repr=False)
    _average: np.ndarray = field(repr=False)
    _rows: pd.DataFrame = field(repr=False)

    @property
    def verdict(self) -> str:
        """ "useful" if in the test the whole interval of the AUC lies above 0.5 and that of the lift above 1; else
        "weak": the ranking may be no better than chance."""
        return "useful" if self.auc_low > 0.5 and self.top.lift_low > 1 else "weak"

    def log_odds(self, frame: pd.DataFrame) -> pd.Series:
        """Log odds to leave in the coming window, per row of ``frame`` (its index)."""
        found = _log_odds(self._model, self._boosted, self._design.matrix(frame)) + self.level_shift
        return pd.Series(found, index=frame.index, name="log_odds")

    def score(self, frame: pd.DataFrame) -> pd.Series:
        """Probability to leave in the coming window, per row of ``frame`` (its index). Raises ContractError for a
        feature that is not there or of another kind."""
        return pd.Series(probability_of(self.log_odds(frame)), index=frame.index, name="probability")

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log odds that each feature adds against the average training row, one column per feature used. Of the
        logistic model, whatever ``kind`` scores. Raises ContractError as ``score``."""
        each = (self._design.matrix(frame) - self._average) * self._model.coefficients
        owner = self._design.columns["feature"].to_numpy()
        parts = {name: each[:, 1:][:, owner == name].sum(axis=1) for name in self.features}
        return pd.DataFrame(parts, index=frame.index, columns=list(self.features), dtype=float)

    def drift(self, now: pd.DataFrame) -> pd.DataFrame:
        """``leaks_and_drift.drift`` of the features used, between the rows the model was fitted on and ``now``."""
        return leaks_and_drift.drift(self._rows, now)


@dataclass(frozen=True, eq=False, repr=False)
class RiskFactors(Result):
    """What is associated with leaving, by the logistic model; ``drift`` as ``RiskModel.drift`` gives it for today."""

    model: RiskModel
    drift: pd.DataFrame | Suppressed


@dataclass(frozen=True, eq=False, repr=False)
class RiskValidation(Result):
    """Whether the predicted risks came true in the test, and what has changed since the model learned."""

    model: RiskModel
    drift: pd.DataFrame | Suppressed


def fit_risk(
    table: pd.DataFrame,
    features: Sequence[str],
    capacity: int,
    *,
    min_to_challenge: int = 300,
    now: pd.DataFrame | None = None,
) -> RiskModel | Suppressed:
    """A tested model of who leaves in the window after a snapshot.

    ``table``: one row per account and snapshot: account_id, snapshot (optional), churned (True: left in the window),
    mrr (optional), and the features: numbers (missing allowed) or text. ``capacity``: how many accounts can be called.
    Left out: columns that give the outcome away (``leaks``), constants.
    The snapshot before the last chooses the ridge and between logistic and boosting, which is tried only with
    ``min_to_challenge`` that left; the last one tests, once, the chosen kind fitted on everything before. With
    fewer than three snapshots, accounts are split 3 : 1 : 1 instead.
    ``now``: the present rows, only to suppress where there are none. Suppressed: nobody paying now, fewer than
    50 that left before the test or 10 in it, one outcome only, no feature left. Raises ContractError for columns that
    are missing or of the wrong kind, or an account twice in a snapshot.

    Example:
        >>> spells = tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)
        >>> past = cs.churn.risk_snapshots(tables.account_months(), spells, as_of=tables.as_of)
        >>> model = cs.churn.fit_risk(past.table, list(past.features), capacity=25)
        >>> model.kind, model.capacity
        ('logistic', 25)
    """
    if not capacity >= 1:
        raise ContractError(f"capacity is {capacity}: give the number of accounts that can be called, 1 or more")
    if now is not None and now.empty:
        return Suppressed("Nobody pays now: there is no account to score. Check the date and the subscriptions loaded.")
    rows = _ordered(table, list(features))
    y = rows["churned"].to_numpy(bool)
    part, out_of_time = _parts(rows)
    where = "the last snapshot" if out_of_time else "the fifth of the accounts kept for the test"
    refused = leaks_and_drift.too_few_events(y[part != _TEST], y[part == _TEST], where=where)
    if refused is None and len(set(y[part == _TRAIN])) < 2:
        refused = Suppressed("Before the last two snapshots nobody left, or everybody: add snapshots with both.")
    if refused is not None:
        return refused

    leaking = leaks_and_drift.leaks(rows[list(features)], y, keys=rows["account_id"])
    dropped = dict(zip(leaking["feature"], leaking["why"], strict=True))
    design = build_design(rows, [name for name in features if name not in dropped])
    dropped |= dict.fromkeys(design.constant, "the same in every row, or too few rows differ")
    kept = [name for name in features if name not in dropped]
    if not kept:
        listed = "; ".join(f"{name}: {text}" for name, text in dropped.items()) or "none was named"
        return Suppressed(
            f"No feature is left to predict with ({listed}). Add columns that were known at the snapshot."
        )

    train, choice, test = (part == each for each in (_TRAIN, _CHOICE, _TEST))
    early = build_design(rows[train], kept)
    ridge, challenger = _choose(early, rows, y, train, choice, int(y[~test].sum()) >= min_to_challenge)
    boost = challenger is not None and challenger.used

    times = rows["snapshot"].to_numpy() if out_of_time else None
    before = build_design(rows[~test], kept)
    known_times = None if times is None else times[~test]
    tested, tested_boosted, shift = _fitted(before.matrix(rows[~test]), y[~test], ridge, boost, known_times)
    eta = _log_odds(tested, tested_boosted, before.matrix(rows[test])) + shift
    eta = eta.round(9)  # rounding errors must not decide what is a tie
    p, left = probability_of(eta), y[test]
    low, high = model_validation.auc_interval(p, left)

    x = design.matrix(rows)
    model, boosted, shift = _fitted(x, y, ridge, boost, times)
    return RiskModel(
        kind="boosted" if boost else "logistic",
        out_of_time=out_of_time,
        features=tuple(kept),
        train_rows=int((~test).sum()),
        train_events=int(y[~test].sum()),
        test_snapshot=pd.Timestamp(rows["snapshot"].max()) if out_of_time else None,
        test_rows=int(test.sum()),
        test_events=int(left.sum()),
        auc=model_validation.auc(p, left),
        auc_low=low,
        auc_high=high,
        brier=model_validation.brier(p, left),
        brier_skill=model_validation.brier_skill(p, left),
        calibration=model_validation.calibration(p, left),
        reliability=model_validation.reliability(p, left),
        top=model_validation.top_k(eta, left, int(capacity), rows.loc[test, "mrr"] if "mrr" in rows else None),
        capacity=int(capacity),
        ridge=ridge,
        level_shift=shift,
        coefficients=_drivers(design, model),
        dropped=pd.DataFrame({"feature": list(dropped), "why": list(dropped.values())}, dtype=object),
        leaks=leaking,
        challenger=challenger,
        typical=typical_values(rows, kept),
        _design=design,
        _model=model,
        _boosted=boosted,
        _average=x.mean(axis=0),
        _rows=rows[kept],
    )


def _ordered(table: pd.DataFrame, features: list[str]) -> pd.DataFrame:
    """The rows in the order of snapshot and account, so that their order cannot matter; raises ContractError."""
    lacking = [name for name in ("account_id", "churned", *features) if name not in table.columns]
    if lacking:
        raise ContractError(f"the table lacks {lacking}: it needs account_id, churned and every feature named")
    wrong = [name for name in features if name in _KEYS]
    if wrong or len(set(features)) < len(features):
        raise ContractError(f"features {wrong or 'named twice'}: name each once, and none of {', '.join(_KEYS)}")
    if table["churned"].isna().any() or table["account_id"].isna().any():
        raise ContractError("churned or account_id is missing in some rows: drop rows whose outcome is not known")
    for name in features:
        _ = numbers(table, name) if is_number(table[name]) else levels_of(table, name)
    keys = ["snapshot", "account_id"] if "snapshot" in table.columns else ["account_id"]
    if table[keys].isna().to_numpy().any() or table.duplicated(keys).any():
        raise ContractError(f"{' and '.join(keys)} must be there and name one row each: aggregate or drop the others")
    used = [*keys, "churned", *(["mrr"] if "mrr" in table.columns else []), *features]
    return table[list(dict.fromkeys(used))].sort_values(keys, kind="stable").reset_index(drop=True)


def _parts(rows: pd.DataFrame) -> tuple[np.ndarray, bool]:
    """Which rows train, choose and test, and whether time divides them."""
    dates = np.sort(rows["snapshot"].unique()) if "snapshot" in rows else np.array([])
    if len(dates) >= 3:
        number = np.searchsorted(dates, rows["snapshot"].to_numpy())
        return np.clip(number - (len(dates) - 3), _TRAIN, _TEST), True
    ids = rows["account_id"].map(str).astype(object).to_numpy(object)
    fifth = np.asarray(pd.util.hash_array(ids) % 5).astype(int)
    return np.where(fifth == 0, _TEST, np.where(fifth == 1, _CHOICE, _TRAIN)), False


def _choose(
    design: Design, rows: pd.DataFrame, y: np.ndarray, train: np.ndarray, choice: np.ndarray, challenge: bool
) -> tuple[float, Challenger | None]:
    """The ridge with the smallest log loss on the choice rows (the larger of equals), and what boosting does there."""
    x, x_choice = design.matrix(rows[train]), design.matrix(rows[choice])
    best, ridge, start = np.full(int(choice.sum()), np.inf), _RIDGES[0], None
    for each in _RIDGES:
        fitted = logistic(x, y[train], ridge=each, start=start)
        start = fitted.coefficients
        loss = log_loss(fitted.log_odds(x_choice), y[choice])
        if loss.sum() < best.sum() or not np.isfinite(best.sum()):
            best, ridge = loss, each
    boosted = _boosting(x, y[train]) if challenge and len(best) and x.shape[1] > 1 else None
    if boosted is None:
        return ridge, None
    difference = log_loss(_raw(boosted, x_choice), y[choice]) - best
    accounts = pd.DataFrame({"account": rows.loc[choice, "account_id"].to_numpy(), "d": difference - difference.mean()})
    squares = float((accounts.groupby("account")["d"].sum() ** 2).sum())
    half = stats.normal_quantile(0.95) * math.sqrt(squares) / len(difference)
    mean = float(difference.mean())
    return ridge, Challenger(mean, mean - half, mean + half, mean + half < 0)


def _boosting(x: np.ndarray, y: np.ndarray) -> Any:
    """Gradient-boosted trees, small and slow ones."""
    from sklearn import ensemble  # imported where it is used: it takes a second that most runs do not need

    trees = ensemble.HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    with one_thread("scikit-learn"):
        return trees.fit(x[:, 1:], y)


def _log_odds(model: Logistic, boosted: Any, x: np.ndarray) -> np.ndarray:
    return model.log_odds(x) if boosted is None else _raw(boosted, x)


def _raw(boosted: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(boosted.decision_function(x[:, 1:]), float)


def _fitted(
    x: np.ndarray, y: np.ndarray, ridge: float, boost: bool, times: np.ndarray | None
) -> tuple[Logistic, Any, float]:
    """The logistic model, the boosted one where wanted, and what brings the log odds to the present level of churn."""
    model, boosted = logistic(x, y, ridge=ridge), _boosting(x, y) if boost else None
    return model, boosted, 0.0 if times is None else _level_now(_log_odds(model, boosted, x), y, times)


def _level_now(log_odds: np.ndarray, y: np.ndarray, times: np.ndarray) -> float:
    """What to add to the log odds for the period after the last: where the level of churn has got to.

    Of each snapshot, the shift that makes as many expected as left (Firth 1993: finite even if none did) and its
    variance; then the local level model (Harvey 1989, section 2.1), its two variances the likeliest of a few pairs,
    steady among them: then the shift is that of all snapshots together, which is about 0.
    """
    shifts, variances = [], []
    for each in np.unique(times):
        here = times == each
        eta, left, d = log_odds[here], float(y[here].sum()), 0.0
        for _ in range(50):
            p = probability_of(eta + d)
            spread = float((p * (1 - p)).sum())
            step = float(np.clip((left - p.sum() + 0.5 - p.mean()) / max(spread, 1e-9), -1, 1))
            d += step
            if abs(step) < 1e-9:
                break
        shifts.append(d)
        variances.append(1 / max(spread, 1e-9))
    best, level = -math.inf, 0.0
    for drift, noise in _LEVELS:
        mean, variance, likelihood = 0.0, 1.0, 0.0
        for d, v in zip(shifts, variances, strict=True):
            total = variance + v + noise
            likelihood -= (math.log(total) + (d - mean) ** 2 / total) / 2
            mean += variance / total * (d - mean)
            variance = variance * (v + noise) / total + drift
        if likelihood > best + 1e-9:
            best, level = likelihood, mean
    return level


def _drivers(design: Design, model: Logistic) -> pd.DataFrame:
    """The coefficients with their intervals, largest first."""
    table = design.columns.copy()
    half = stats.normal_quantile(0.95) * model.standard_errors[1:]
    table["log_odds"] = model.coefficients[1:]
    table["low"], table["high"] = table["log_odds"] - half, table["log_odds"] + half
    table["odds_ratio"] = np.exp(table["log_odds"])
    order = np.argsort(-table["log_odds"].abs().to_numpy(), kind="stable")
    return table.iloc[order].reset_index(drop=True)
