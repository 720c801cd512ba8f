"""Results of the subject: cases and comparisons as the analysis passes them on, and what the front doors return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import signature
from typing import NamedTuple, TypeVar

import pandas as pd

from cs_helpers.core.estimates import Estimate
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Record, Result, Suppressed

N = TypeVar("N")


def within(dates: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> pd.Series:
    """Which dates lie in [start, end)."""
    return ((dates >= start) & (dates < end)).astype(bool)


@dataclass(frozen=True, eq=False, repr=False)
class Cases(Record):
    """What is compared, one row per case: a ticket, a call, a renewal, an account-month, a rep's month.

    ``table``: ``rep_id`` (missing: no rep), ``cluster`` (cases that depend on each other: the account, or the rep's
    month), ``month`` (first day of the month in which the case counts), the columns named in ``mix`` (fixed before the
    rep acted; text, missing is a level), one number per measure named in ``keys`` (NaN: no case of it), and
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
        return replace(self, table=self.table[within(self.table["month"], start, end)])


@dataclass(frozen=True, eq=False, repr=False)
class CaseMix(Record):
    """The effect of the case mix on one measure, estimated between cases of the same rep.

    ``effects``: factor, level, cases, effect (of the level against the average case; points as a fraction for shares,
    the measure's unit for means, log ratio for times and counts), se, low and high (95 % interval). ``factors``: the
    columns that were used. ``dropped``: column -> why it was not. ``expected``: one number per case of the measure,
    what an average rep would have had; ``weight``: the information in each case, in the same order; both indexed as the
    cases' table.
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
    ``n_effective`` (the number of independent average cases with as much information), ``clusters``, ``plain`` (what
    any dashboard prints: share, mean; the median of times), ``raw`` (the same scale as ``adjusted`` but with the mix
    left in; times: geometric means), ``expected`` (an average rep with these cases), ``adjusted`` (with the mix taken
    out), ``effect`` and ``se`` (its distance from the centre: fraction or unit where ``scale`` is "additive", log ratio
    where it is "ratio"), ``low``, ``high`` (95 % interval of adjusted), ``z``, ``p``, ``q`` (Benjamini-Hochberg over
    all units and measures of the board), ``outside`` ("", "95", "99.8": of the funnel that chance alone makes),
    ``exceptional`` (outside even of limits that allow for the usual differences between units), ``shrunk``,
    ``shrunk_low``, ``shrunk_high`` (empirical Bayes, 95 %), ``p_top`` (probability of a place in the better quarter),
    ``rank_low``, ``rank_high`` (90 % interval; 1 is best), ``verdict`` ("better", "worse", "higher", "lower" (where no
    side is better), "not distinguishable", "too few") and ``reason`` (why too few). Units with too few cases count in
    the centre but have no figure: NaN; ``all_effect`` and ``all_se`` are theirs too, for pooling alone. Managers have
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

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The units with a figure."""
        return self.units[self.units["verdict"] != "too few"]

    @cached_property
    def clearly_different(self) -> pd.DataFrame:
        """The units whose figure differs by more than chance and the number of comparisons explain."""
        return self.units[~self.units["verdict"].isin(["too few", "not distinguishable"])]


@dataclass(frozen=True, eq=False, repr=False)
class Board(Record):
    """Several measures compared at one level and judged together.

    A difference is clear only if it survives Benjamini-Hochberg at ``fdr`` over all units and measures.

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

    @cached_property
    def differences(self) -> pd.DataFrame:
        """All clear differences, the smallest q first: key, unit, label, verdict, adjusted with its interval, q."""
        parts = [each.clearly_different.assign(key=each.key, centre=each.centre) for each in self.benchmarks]
        columns = ["key", "unit", "label", "verdict", "adjusted", "low", "high", "centre", "effect", "n", "q"]
        given = [part[columns] for part in parts if len(part)]
        return pd.concat(given).sort_values("q", ignore_index=True) if given else pd.DataFrame(columns=columns)


@dataclass(frozen=True, eq=False, repr=False)
class Persistence(Record):
    """Reps outside the limits on the same side in two consecutive periods.

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

    @cached_property
    def consistent(self) -> pd.DataFrame:
        """The consistent outliers; empty where persistence is refused."""
        return self.pairs[self.pairs["side"] != ""] if not self.refused else self.pairs.iloc[:0]


@dataclass(frozen=True, eq=False, repr=False)
class Screen(Record):
    """One question about how a figure came about, with its evidence; never a verdict.

    ``raised``: unit, label, and the evidence as ``value``, ``peers``, ``n``, ``p`` (adjusted over all reps of the
    screen); empty: no question. Where the question rests on two figures, ``value_2`` and ``peers_2`` are the other;
    ``second`` names it ("back": tickets that came back, "csat"), ``target`` is that of handle times. ``asked_of``: reps
    compared; ``refused``: why they could not be.
    """

    key: str
    raised: pd.DataFrame
    asked_of: int
    refused: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Record):
    """What one consistent outlier does differently from peers.

    ``aspects``: aspect, its ``group`` (mix, timing, handling, touches) and ``level``, ``value``, ``peers``, ``low``,
    ``high`` (of the difference), ``ratio``, ``unit``, ``n``, ``p``, ``q``, ``clear``. It holds everything that was
    looked at; ``clear`` marks what survives Benjamini-Hochberg.
    """

    unit: str
    label: str
    key: str
    side: str
    aspects: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Ramp(Result):
    """A measure of new reps by weeks since hire, against reps with longer service.

    ``curve``, one row per step that at least three newcomers were seen in: ``week`` (the first of the step, 0 begins on
    the first day), ``reps``, ``cases``, ``effect`` (distance from the longer-serving: fraction or unit where ``scale``
    is "additive", log ratio where it is "ratio"), ``effect_low``, ``effect_high`` (95 %), and ``level``, ``low``,
    ``high``: the same in the measure's own unit, ``smooth`` the level made monotone. ``tenured``: the level of the
    longer-serving, ``longer_serving`` reps with more than ``months`` of service; ``band``: what counts as theirs.
    ``proficient``: the first week from which the smooth curve lies inside the band, ``low``, ``high`` its interval
    (inf: not within the weeks seen); None where it cannot be given, with ``reason``. ``early``: the effect over the
    first twelve weeks with its interval. ``marks``: week, kind ("training", "ride-along"), reps, sessions.
    ``step_weeks``: the length of a step, 52/12 where cases are only known by month. ``others``: the same of further
    measures, where several were asked for.
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
    others: tuple[Result, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class History(Result):
    """One measure of the whole organisation by month, case-mix adjusted.

    ``months``: month, n, plain, adjusted, low, high (95 % interval), outside ("", "95", "99.8"), target (NaN: none),
    year_before (the same calendar month a year earlier, adjusted; NaN: not seen). ``now`` and ``before``: the last
    window and the one of the same length before it. ``verdict``: as of ``stats.compare``. ``season``: calendar_month
    (1 to 12), effect, low, high, years; empty with less than two years. ``target``: the goal that holds at the end,
    ``target_verdict`` met, missed or no clear verdict ("" without a goal). ``window``: its length in months;
    ``others``: the same of further measures, where several were asked for.
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
    window: int = 12
    others: tuple[Result, ...] = ()


@dataclass(frozen=True, repr=False)
class Moves(Result):
    """Internal moves of reps to other departments.

    ``moves`` per ``rep_years``; ``rate`` with its exact Poisson interval ``low``, ``high``; ``to``: department ->
    count; ``left``: those who left without moving; ``others``: the same of the other role, where both were asked for.
    """

    role: str
    moves: int
    left: int
    rep_years: float
    rate: float
    low: float
    high: float
    to: Mapping[str, int] = field(default_factory=dict)
    others: tuple[Result, ...] = ()


@dataclass(frozen=True, repr=False)
class Windows(Record):
    """Two disjoint windows of the same length, [before, start) and [start, end)."""

    before: pd.Timestamp
    start: pd.Timestamp
    end: pd.Timestamp

    @property
    def before_words(self) -> str:
        """``July 2024 to June 2025``."""
        return window_words(self.before, self.start)

    @property
    def now_words(self) -> str:
        """``July 2025 to June 2026``."""
        return window_words(self.start, self.end)


@dataclass(frozen=True, repr=False)
class Steering(Record):
    """The measures that steer a team, each paired with its counter-measure; ``warnings`` as sentences."""

    role: str
    keys: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class TeamFindings(Record):
    """The results behind the sentences about one team.

    ``board``: all measures compared, or why none could be; ``repeated``: per measure the outliers in two periods;
    ``questions``: the screens of support, or why there are none (none for CSMs); ``steered_by``: keys of measures.
    """

    role: str
    board: Board | Suppressed
    repeated: tuple[Persistence | Suppressed, ...] = ()
    questions: tuple[Screen, ...] | Suppressed = ()
    steered_by: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class RepsSummary(Result):
    """Headline numbers and takeaways of the teams asked for.

    ``histories``: role -> measure -> the measure by month; ``warnings``: about the measures that steer the teams.
    """

    teams: tuple[TeamFindings, ...]
    histories: Mapping[str, Mapping[str, History | Suppressed]]
    warnings: tuple[str, ...] = ()
    currency: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class TeamBenchmark(Result):
    """Every measure of one team compared between its reps, with what is missing and who cannot be compared.

    ``response_rates`` (by name of the survey) and ``resolved_rates`` (of contacts answered, of all contacts) are those
    of support; ``missing``: measures that the data do not hold, as sentences.
    """

    role: str
    board: Board
    findings: TeamFindings
    steering: Steering
    response_rates: Mapping[str, Estimate] | Suppressed | None = None
    resolved_rates: tuple[Estimate, Estimate] | Suppressed | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class MeasureBenchmark(Result):
    """One measure compared between reps: how far reps truly differ, and who is outside the limits of chance.

    ``league_table``: whether places were asked for; ``smallest_group``: the smallest number of accounts behind a
    listed figure; ``others``: further measures that were asked for.
    """

    role: str
    benchmark: Benchmark
    league_table: bool = False
    smallest_group: int = 1
    others: tuple[Result, ...] = ()


class MeasureIntervals(MeasureBenchmark):
    """One measure, rep by rep: adjusted figure, interval and verdict."""


class MeasurePlaces(MeasureBenchmark):
    """The places that reps may hold on one measure, each as the range that holds it with 90 % probability."""


@dataclass(frozen=True, eq=False, repr=False)
class CaseMixEffects(Result):
    """What the mix of cases explains of one measure: figures unadjusted and adjusted, and the largest moves."""

    role: str
    benchmark: Benchmark
    others: tuple[Result, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class ManagerBenchmark(Result):
    """Every measure of one team compared between managers, by the reps recorded under them."""

    role: str
    board: Board


@dataclass(frozen=True, eq=False, repr=False)
class RepeatedOutliers(Result):
    """Reps outside the limits on the same side in two periods in a row, and what they do differently.

    ``measures``: each measure compared between the periods; ``profiles``: one per consistent outlier, or why there is
    none.
    """

    role: str
    measures: tuple[Persistence, ...]
    profiles: tuple[Profile | Suppressed, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class GamingQuestions(Result):
    """Questions about how figures of support reps came about; never a verdict."""

    screens: tuple[Screen, ...]


class UnitRow(NamedTuple):
    """A row of ``Benchmark.units``, as far as sentences and tables need it."""

    unit: str
    label: str
    n: int
    n_effective: float
    plain: float
    adjusted: float
    low: float
    high: float
    shrunk: float
    verdict: str
    reason: str
    exceptional: bool
    rank_low: float
    rank_high: float
    p_top: float


class MoveRow(NamedTuple):
    """A row of ``Benchmark.moves``."""

    label: str
    raw: float
    adjusted: float
    why: str
    why_level: str
    why_share: float
    why_share_all: float


class PairRow(NamedTuple):
    """A row of ``Persistence.pairs``."""

    unit: str
    label: str
    z_before: float
    z_now: float
    side: str


class EvidenceRow(NamedTuple):
    """A row of ``Screen.raised``."""

    unit: str
    label: str
    value: float
    peers: float
    n: float
    p: float
    value_2: float
    peers_2: float
    second: str
    target: float


class AspectRow(NamedTuple):
    """A row of ``Profile.aspects``."""

    aspect: str
    level: str
    unit: str
    value: float
    peers: float
    low: float
    high: float


def rows_of(frame: pd.DataFrame, kind: Callable[..., N]) -> list[N]:
    """The rows of a table as tuples of one kind; columns that it does not name are passed over."""
    names = list(signature(kind).parameters)
    return [kind(*values) for values in frame[names].itertuples(index=False, name=None)]
