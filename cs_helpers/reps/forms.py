"""The forms in which a comparison of reps travels: cases in, a board of benchmarks out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Record


@dataclass(frozen=True, eq=False, repr=False)
class Cases(Record):
    """What is compared, one row per case: a ticket, a call, a renewal, an account-month, a rep's month.

    ``table``: ``rep_id`` (missing: nobody), ``cluster`` (what depends on each other: the account, or the rep's month),
    ``month`` (first day of the month in which the case counts), the columns named in ``mix`` (fixed before the rep
    acted; text, missing is a level of its own), one number per measure named in ``keys`` (NaN: no case of it), and
    ``exposure`` (working days, account-months, MRR) where a measure has something other than one case per row as its
    denominator; ``day`` where it is known, for newcomers. Shares are 0 and 1. ``notes``: what was left out and why, as
    sentences.
    """

    table: pd.DataFrame
    keys: tuple[str, ...]
    mix: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
        """The cases of the months in [start, end)."""
        inside = (self.table["month"] >= start) & (self.table["month"] < end)
        return replace(self, table=self.table[inside])


@dataclass(frozen=True, eq=False, repr=False)
class CaseMix(Record):
    """What the mix of cases does to one measure, estimated between cases of the same rep.

    ``effects``: factor, level, cases, effect (of the level against the average case; points as a fraction for shares,
    the measure's unit for means, log ratio for times and counts), se, low and high (95 % interval).
    ``factors``: the columns that were used. ``dropped``: column -> why it was not. ``expected``: one number per case of
    the measure, what an average rep would have had; ``weight``: what the case tells, in the same order; both indexed as
    the cases' table.
    """

    key: str
    factors: tuple[str, ...]
    effects: pd.DataFrame
    expected: pd.Series
    weight: pd.Series
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Benchmark(Record):
    """One measure compared between units (reps, managers or months) at one level.

    ``units``, one row per unit that has a case, sorted by unit: ``unit`` (its id), ``label`` (its name), ``n`` (cases),
    ``n_effective`` (as many independent average cases would tell as much), ``clusters``, ``plain`` (what any dashboard
    prints: share, mean; the median of times), ``raw`` (the same scale as ``adjusted`` but with the mix left in; times:
    geometric means), ``expected`` (an average rep with these cases), ``adjusted`` (with the mix taken out), ``effect``
    and ``se`` (its distance from the centre: fraction or unit where ``scale`` is "additive", log ratio where it is
    "ratio"), ``low``, ``high`` (95 % interval of adjusted), ``z``, ``p``, ``q`` (Benjamini-Hochberg over all units and
    measures of the board), ``outside`` ("", "95", "99.8": of the funnel that chance alone makes), ``exceptional``
    (outside even of limits that allow for the usual differences between units), ``shrunk``, ``shrunk_low``,
    ``shrunk_high`` (empirical Bayes, 95 %), ``p_top`` (probability of a place in the better quarter), ``rank_low``,
    ``rank_high`` (90 % interval; 1 is best), ``verdict`` ("better", "worse", "higher", "lower" (where no side is
    better), "not distinguishable", "too few") and ``reason`` (why too few). Units with too few cases count in the
    centre but have no figure: NaN; ``all_effect`` and ``all_se`` are theirs too, for pooling alone. Managers have
    ``reps``, the number of theirs, and no shrinkage.

    ``centre``: the measure over all cases; ``low``, ``high``: its 95 % interval. ``limits``: n, low_95, high_95,
    low_998, high_998, and with the over-dispersion low_usual, high_usual, on a grid of effective cases. ``spread``:
    standard deviation of the true differences (on the scale of ``effect``), ``spread_low``, ``spread_high``: its 95 %
    interval; ``differ_p``: p of no differences at all. ``reliability``: share of the variance between units that is not
    noise. ``design_effect``: how many times the variance of independent cases; ``overdispersion``: the winsorised
    standard deviation that units have beyond chance, outliers among them aside. ``false_alarms``: how many units beyond
    the 95 % limits chance alone would give. ``moves``: unit, label, raw, adjusted, move (adjusted less raw, on the
    scale of effect), mover, and ``why``, the factor whose mix moved it most, with ``why_points`` its part,
    ``why_level`` the level that did most of it and its share of the unit's cases and of all, ``why_share``,
    ``why_share_all``.
    """

    key: str
    level: str
    scale: str
    cases: int
    units: pd.DataFrame
    centre: float
    low: float
    high: float
    limits: pd.DataFrame
    spread: float
    spread_low: float
    spread_high: float
    differ_p: float
    reliability: float
    design_effect: float
    overdispersion: float
    false_alarms: float
    moves: pd.DataFrame
    mix: CaseMix | None = None
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> pd.DataFrame:
        """The units with a figure."""
        return self.units[self.units["verdict"] != "too few"]

    @property
    def told_apart(self) -> pd.DataFrame:
        """The units that differ by more than chance, over-dispersion and all other comparisons explain."""
        return self.units[~self.units["verdict"].isin(["too few", "not distinguishable"])]


@dataclass(frozen=True, eq=False, repr=False)
class Board(Record):
    """Several measures compared at one level, judged together: a difference is told apart only if it survives
    Benjamini-Hochberg at ``fdr`` over all units and measures.

    ``refused``: measure -> why it could not be compared. ``untouched``: reps of the role without any case, by name.
    """

    level: str
    role: str
    benchmarks: tuple[Benchmark, ...]
    refused: Mapping[str, str]
    fdr: float
    units: int
    untouched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, key: str) -> Benchmark | None:
        """The benchmark of one measure, or None where it was refused."""
        return next((each for each in self.benchmarks if each.key == key), None)

    @property
    def apart(self) -> pd.DataFrame:
        """All differences that were told apart: key, unit, label, verdict, adjusted, expected, effect, q; by q."""
        parts = [each.told_apart.assign(key=each.key, centre=each.centre) for each in self.benchmarks]
        columns = ["key", "unit", "label", "verdict", "adjusted", "low", "high", "centre", "effect", "n", "q"]
        given = [part[columns] for part in parts if len(part)]
        return pd.concat(given).sort_values("q", ignore_index=True) if given else pd.DataFrame(columns=columns)


@dataclass(frozen=True, eq=False, repr=False)
class Persistence(Record):
    """Who lay outside on the same side in two consecutive disjoint periods.

    ``pairs``: unit, label, effect_before, z_before, effect_now, z_now, side ("better", "worse", "higher", "lower", ""),
    for units with a figure in both. ``correlation`` of the two, with ``low`` and ``high``. ``refused``: why nothing
    is called consistent ("" if it is), above all a reliability below .5.
    """

    key: str
    before: str
    now: str
    reliability: float
    correlation: float
    low: float
    high: float
    pairs: pd.DataFrame
    refused: str = ""

    @property
    def consistent(self) -> pd.DataFrame:
        """The consistent outliers; empty where persistence is refused."""
        return self.pairs[self.pairs["side"] != ""] if not self.refused else self.pairs.iloc[:0]


@dataclass(frozen=True, eq=False, repr=False)
class Screen(Record):
    """One question about how a figure came about, with its evidence; never a verdict.

    ``raised``: unit, label, and the evidence as ``value``, ``peers``, ``n``, ``p`` (adjusted over all reps of the
    screen); empty: nothing to ask. Where the question rests on two figures, ``value_2`` and ``peers_2`` are the other;
    ``second`` names it ("back": tickets that came back, "csat"), ``target`` is that of handle times. ``asked_of``: reps
    that were looked at; ``refused``: why the screen could not look.
    """

    key: str
    raised: pd.DataFrame
    asked_of: int
    refused: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Record):
    """What one consistent outlier does differently from peers.

    ``aspects``: aspect, its ``group`` (mix, timing, handling, touches) and ``level``, ``value``, ``peers``, ``low``,
    ``high`` (of the difference), ``ratio``, ``unit``, ``n``, ``p``, ``q``, ``told``. It holds everything that was
    looked at; ``told`` marks what survives Benjamini-Hochberg.
    """

    unit: str
    label: str
    key: str
    side: str
    aspects: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Ramp(Record):
    """How new reps come up: their measure by weeks since hire, against reps who have been there longer.

    ``curve``, one row per step that at least three newcomers were seen in: ``week`` (the first of the step, 0 begins on
    the first day), ``reps``, ``cases``, ``effect`` (distance from the longer-serving: fraction or unit where ``scale``
    is "additive", log ratio where it is "ratio"), ``effect_low``, ``effect_high`` (95 %), and ``level``, ``low``,
    ``high``: the same in the measure's own unit, ``smooth`` the level made monotone. ``tenured``: the level of the
    longer-serving, ``longer_serving`` reps with more than ``months`` of service; ``band``: what counts as theirs.
    ``proficient``: the first week from which the smooth curve lies inside the band, ``low``, ``high`` its interval
    (inf: not within the weeks seen); None where it cannot be said, with ``reason``. ``early``: the effect over the
    first twelve weeks with its interval. ``marks``: week, kind ("training", "ride-along"), reps, sessions.
    ``step_weeks``: the length of a step, 52/12 where cases are only known by month.
    """

    key: str
    scale: str
    newcomers: int
    tenured: float
    curve: pd.DataFrame
    proficient: float | None
    low: float
    high: float
    marks: pd.DataFrame
    reason: str = ""
    longer_serving: int = 0
    months: int = 12
    band: tuple[float, float] = (float("nan"), float("nan"))
    early: tuple[float, float, float] = (float("nan"), float("nan"), float("nan"))
    step_weeks: float = 4.0


@dataclass(frozen=True, eq=False, repr=False)
class History(Record):
    """The organisation against itself: one measure by month, with the mix taken out.

    ``months``: month, n, plain, adjusted, low, high (95 % interval), outside ("", "95", "99.8"), target (NaN: none),
    year_before (the same calendar month a year earlier, adjusted; NaN: not seen). ``now`` and ``before``: the last
    window and the one of the same length before it. ``verdict``: as of ``stats.compare``. ``season``: calendar_month
    (1 to 12), effect, low, high, years; empty with less than two years. ``target``: the goal that holds at the end,
    ``target_verdict`` met, missed or no clear verdict ("" without a goal).
    """

    key: str
    scale: str
    now: Estimate
    before: Estimate
    verdict: str
    months: pd.DataFrame
    season: pd.DataFrame
    centre: float
    target: float | None = None
    target_verdict: str = ""


@dataclass(frozen=True, repr=False)
class Moves(Record):
    """Internal moves of reps to other departments: a sign that the team is a good place to come from.

    ``moves`` per ``rep_years``; ``rate`` with its exact Poisson interval ``low``, ``high``; ``to``: department ->
    count; ``left``: those who left without moving.
    """

    role: str
    moves: int
    left: int
    rep_years: float
    rate: float
    low: float
    high: float
    to: Mapping[str, int] = field(default_factory=dict)
