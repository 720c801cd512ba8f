"""The board: several measures of one team judged together, at the level of reps or of their managers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import benjamini_hochberg
from cs_helpers.core.stats.clusters import student_quantile, upper_tail
from cs_helpers.reps.engine import compare_units, displayed
from cs_helpers.reps.measures import MEASURES, measure
from cs_helpers.reps.results import Benchmark, Board, Cases

MIN_REPS_UNDER_A_MANAGER = 2
NO_PEOPLE = pd.DataFrame(columns=["rep_id", "name", "role", "manager_id"], dtype="str")


def compare_reps(
    cases: Cases | Sequence[Cases] | Board,
    people: pd.DataFrame | None = None,
    keys: Sequence[str] | None = None,
    level: str = "rep",
    role: str = "support",
    fdr: float = 0.05,
) -> Board:
    """Every measure of the cases compared between reps (or between managers), and all comparisons judged together.

        q = Benjamini-Hochberg over all units and measures;  clearly different: q <= fdr

    Reps are those of ``role`` in ``people`` (rep_id, name, role, manager_id); where ``people`` has no rows, all who
    have a case. Cases of others help to fit the mix. Managers: see ``managers_compared``; reps without a manager do not
    count. A board of the reps may be given in place of the cases, which are then not compared again. Refused is a
    measure of which fewer than two units have a figure. Reps without a case are named in ``untouched``, and those who
    left stay as they were. Raises ParameterError for an unknown measure or level, and ContractError where no measure
    could be compared.

    Example:
        >>> csat = cs.reps.team_cases(tables, "support").of("csat")
        >>> board = compare_reps(csat, tables.reps, keys=["csat"])
        >>> board.of("csat").clearly_different["label"].tolist()
        ['Zoë Okafor', 'Kaja Tamm', 'Greta Moreau', 'Saga Quist']
    """
    if level not in ("rep", "manager"):
        raise ParameterError(f"level '{level}' is neither rep nor manager")
    if not 0 < fdr < 1:
        raise ParameterError(f"fdr {fdr} must lie between 0 and 1, for example 0.05")
    board = cases if isinstance(cases, Board) else None
    parts = [] if isinstance(cases, Board) else [cases] if isinstance(cases, Cases) else list(cases)
    people = _with_columns(NO_PEOPLE if people is None else people)
    mine = people[people["role"] == role]
    if level == "manager" and (mine["manager_id"].value_counts() >= MIN_REPS_UNDER_A_MANAGER).sum() < 2:
        raise ContractError(
            f"fewer than two managers are recorded with {MIN_REPS_UNDER_A_MANAGER} reps each. Fill manager_id in "
            "the table of reps."
        )
    names = dict(zip(people["rep_id"], people["name"].fillna(people["rep_id"]), strict=True))
    part_of = {key: part for part in reversed(parts) for key in part.keys}
    held = [each.key for each in board.benchmarks] if board else list(part_of)
    wanted = held if keys is None else [measure(key).key for key in keys]
    seen: set[str] = set()
    found: list[Benchmark] = []
    refused: dict[str, str] = {}
    for key in sorted(dict.fromkeys(wanted), key=list(MEASURES).index):
        if key not in held:
            refused[key] = "the data do not hold it"
            continue
        only = set(mine["rep_id"]) if len(people) else None
        try:
            reps = (board and board.of(key)) or compare_units(part_of[key], key, "rep_id", names, "rep", only)
            seen |= set(reps.units["unit"])
            compared = reps if level == "rep" else managers_compared(reps, mine, names)
        except ContractError as error:
            refused[key] = str(error).removeprefix(f"{key}: ")
            continue
        found.append(compared)
        if (shown := len(compared.shown)) < 2:
            refused[key] = _why_refused(compared, shown)
    if not found:
        reasons = "; ".join(f"{key}: {why}" for key, why in refused.items())
        raise ContractError(
            f"no measure of {role} can be compared between {level}s. {reasons or 'No cases were given.'}"
        )
    untouched = tuple(sorted(names[rep] for rep in set(mine["rep_id"]) - seen)) if level == "rep" else ()
    compared_units = {unit for each in found for unit in each.shown["unit"]}
    notes = dict.fromkeys(board.notes if board else (note for part in parts for note in part.notes))
    return Board(level, role, _judged_together(found, fdr), refused, fdr, len(compared_units), untouched, tuple(notes))


def _with_columns(people: pd.DataFrame) -> pd.DataFrame:
    """The table of reps with the columns needed; empty where no role is recorded, so that all count."""
    known = people.reindex(columns=list(NO_PEOPLE.columns))
    return known if known["role"].notna().any() else known.iloc[:0]


def _why_refused(compared: Benchmark, shown: int) -> str:
    """Why fewer than two units have a figure."""
    units = compared.units
    if len(units) < 2:
        who = {0: "nobody has", 1: f"only one {compared.level} has"}[len(units)]
        return f"{who} cases, so there is nobody to compare with"
    reasons = units.loc[units["verdict"] == "too few", "reason"]
    most = reasons.mode()
    return f"{shown} of {len(units)} have enough cases; most often: {most.iloc[0] if len(most) else 'too few'}"


def _judged_together(found: Sequence[Benchmark], fdr: float) -> tuple[Benchmark, ...]:
    """The benchmarks with q over all their units, and verdicts by it."""
    p = np.concatenate([each.units["p"].to_numpy(float) for each in found])
    q = benjamini_hochberg(p)
    done, at = [], 0
    for each in found:
        part = q[at : at + len(each.units)]
        at += len(each.units)
        up, down = measure(each.key).sides
        verdict = each.units["verdict"].to_numpy(object).copy()
        apart = part <= fdr
        if len(each.shown) > 1:
            verdict[apart] = np.where(each.units["effect"].to_numpy()[apart] > 0, up, down)
        done.append(replace(each, units=each.units.assign(q=part, verdict=verdict)))
    return tuple(done)


def managers_compared(reps: Benchmark, mine: pd.DataFrame, names: dict[str, str]) -> Benchmark:
    """Managers compared by their reps: a difference counts only beyond the differences between reps of one manager.

        effect_m = sum w d / sum w,  w = 1 / (se² + s²),  s² between the reps of one manager, by moments
        z = t of effect_m less the mean of all managers, with reps less managers degrees of freedom

    All reps with a case count, also those with too few for a figure of their own. A manager with a single rep cannot
    be distinguished from that rep. Raises ContractError where no two managers have two reps.
    Source: DerSimonian & Laird 1986 for s², within managers.
    """
    boss = mine.set_index("rep_id")["manager_id"] if len(mine) else pd.Series(dtype="str")
    units = reps.units
    rows = units.assign(effect=units["all_effect"], se=units["all_se"], manager=units["unit"].map(boss))
    rows = rows[rows["manager"].notna() & (rows["se"] > 0)]
    counts = rows.groupby("manager").size()
    kept = counts[counts >= MIN_REPS_UNDER_A_MANAGER].index
    if len(kept) < 2:
        raise ContractError(
            f"{reps.key}: {len(kept)} managers have {MIN_REPS_UNDER_A_MANAGER} or more reps with a case, and two "
            "are needed. Fill manager_id in the table of reps."
        )
    rows = rows[rows["manager"].isin(kept)]
    codes, managers = pd.factorize(rows["manager"], sort=True)
    d, v = rows["effect"].to_numpy(), rows["se"].to_numpy() ** 2
    between = _between_within(d, v, codes, len(managers))
    w = 1 / (v + between)
    total = np.bincount(codes, w)
    effect = np.bincount(codes, w * d) / total
    overall = float(total @ effect / total.sum())
    degrees = max(len(rows) - len(managers), 1)
    variance = 1 / total * (1 - total / total.sum())  # against a mean of which it is a part
    z = (effect - overall) / np.sqrt(variance)
    p = 2 * upper_tail(np.abs(z), degrees)
    half = student_quantile(degrees) * np.sqrt(1 / total)
    sums = {name: np.bincount(codes, rows[name]) for name in ("n", "clusters")}
    n_effective = np.bincount(codes, rows["n_effective"].fillna(0.0))
    weighted = {name: np.bincount(codes, rows[name] * rows["n"]) / sums["n"] for name in ("plain", "raw", "expected")}
    family = measure(reps.key).family
    shown_at, low, high = (displayed(reps.centre, effect + way * half, reps.scale, family) for way in (0, -1, 1))
    empty = np.full(len(managers), np.nan)
    outside = np.where(p < 0.002, "99.8", np.where(p < 0.05, "95", ""))
    units = pd.DataFrame(
        {
            "unit": managers,
            "label": [str(names.get(name, name)) for name in managers],
            "n": sums["n"].astype(int),
            "n_effective": n_effective,
            "clusters": sums["clusters"].astype(int),
            "reps": np.bincount(codes),
            **weighted,
            "effect": effect,
            "se": np.sqrt(variance),
            "reason": "",
            "adjusted": shown_at,
            "low": low,
            "high": high,
            "z": z,
            "p": p,
            "q": np.nan,
            "outside": outside,
            "exceptional": p < 0.05,
            **dict.fromkeys(("shrunk", "shrunk_low", "shrunk_high", "p_top", "rank_low", "rank_high"), empty),
            "verdict": "not distinguishable",
        }
    )
    return replace(
        reps,
        level="manager",
        units=units,
        moves=reps.moves.iloc[:0],
        limits=reps.limits.iloc[:0],
        overdispersion=math.sqrt(between),
        false_alarms=0.05 * len(managers),
        spread=math.nan,
        spread_low=math.nan,
        spread_high=math.nan,
        differ_p=math.nan,
        reliability=math.nan,
    )


def _between_within(d: np.ndarray, v: np.ndarray, codes: np.ndarray, managers: int) -> float:
    """Variance between the reps of one manager, by moments; 0 where noise alone explains them."""
    w = 1 / v
    total = np.bincount(codes, w, managers)
    mean = np.bincount(codes, w * d, managers) / total
    q = float(w @ (d - mean[codes]) ** 2)
    free = float((total - np.bincount(codes, w**2, managers) / total).sum())
    return max((q - (len(d) - managers)) / free, 0.0) if free > 0 else 0.0
