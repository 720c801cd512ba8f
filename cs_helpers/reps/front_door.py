"""Questions about the reps of a company: each takes its tables and returns a result that shows itself.

What several questions share (cases, comparisons of both windows, screens) is computed once per company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Result, Suppressed, front_door, or_suppressed
from cs_helpers.reps import teams
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.employment import internal_moves
from cs_helpers.reps.measures import ROLES, check_steering, checked_role
from cs_helpers.reps.monthly import monthly_history
from cs_helpers.reps.outliers import outlier_profiles
from cs_helpers.reps.proficiency import time_to_proficiency
from cs_helpers.reps.results import (
    Benchmark,
    Board,
    CaseMixEffects,
    Cases,
    GamingQuestions,
    History,
    ManagerBenchmark,
    MeasureBenchmark,
    Moves,
    Persistence,
    Ramp,
    RepeatedOutliers,
    RepsSummary,
    Screen,
    TeamBenchmark,
    TeamFindings,
    Windows,
)
from cs_helpers.reps.screens import gaming_screens
from cs_helpers.reps.settings import DEFAULTS, Settings
from cs_helpers.reps.support import answer_rates, resolved_rates

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables

R = TypeVar("R", bound=Result)
S = TypeVar("S", MeasureBenchmark, CaseMixEffects, Ramp, History, Moves)

MEMBERS = {"support": "Support reps", "csm": "CSMs"}
MIX_MEASURES = {"support": ("resolution_hours",), "csm": ("book_grr", "touch_hours_per_account")}


@front_door("Reps cannot be compared.", "reps")
def summary(
    tables: Tables, role: str = "", months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> RepsSummary:
    """Headline numbers and takeaways: which differences between reps are clear, which are not, what to do next.

    Counts, for each team, the reps whose figure is clearly different from average on the measure that steers the team,
    and compares the organisation with its own past. ``role``: support or csm, both where empty. ``months``: length of
    the window that ends at the as-of date; the one before it, of the same length, shows who is outside again. ``by``:
    attributes of accounts that belong to the mix of cases beside the segment, separated by commas. A team without data
    is named with the reason.

    Raises ParameterError for an unknown role, attribute or measure and for a window without months.

    Example:
        >>> len(cs.reps.summary(tables).teams)
        2
    """
    ask, roles = _Question(tables, by, settings, months), _chosen(role)
    steering = [check_steering(settings.steered_by(each), each) for each in ROLES]
    return RepsSummary(
        teams=tuple(ask.findings(each) for each in roles),
        histories={each: ask.histories(each) for each in roles},
        warnings=tuple(warning for each in steering for warning in each.warnings),
        currency=tables.currency,
    )


@front_door("Reps cannot be compared.", "reps")
def benchmark(
    tables: Tables, role: str, months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> TeamBenchmark | Suppressed:
    """Every measure of one team compared between its reps, case-mix adjusted.

    A rep has a figure with at least 30 cases, 10 accounts and, of a share, 10 expected events and non-events. A
    difference from average is clear if it survives Benjamini-Hochberg over all reps and measures at
    ``settings.fdr``. Cases of accounts that no rep had count for the team only. Measures that the data do not hold
    are listed with the reason. Parameters as in ``summary``; ``role`` is support or csm. Sources: Spiegelhalter 2005
    for the limits, Benjamini & Hochberg 1995.

    Example:
        >>> cs.reps.benchmark(tables, "support").board.of("csat").cases
        968
    """
    ask, role = _Question(tables, by, settings, months), checked_role(role)
    steering = check_steering(settings.steered_by(role), role)
    team = ask.team(role)
    board = ask.board(role)
    if isinstance(board, Suppressed) or isinstance(team, Suppressed):
        return _no_comparison(role, board)
    seen, tickets = ask.seen, ask.tickets()
    support = role == "support"
    return TeamBenchmark(
        role=role,
        board=board,
        findings=ask.findings(role),
        steering=steering,
        response_rates=or_suppressed(answer_rates, tickets, seen.start, seen.end) if support else None,
        resolved_rates=or_suppressed(resolved_rates, tickets, seen.start, seen.end) if support else None,
        missing=team.missing,
    )


@front_door("Reps cannot be compared.", "reps")
def steering_measures(
    tables: Tables,
    role: str,
    months: int = 12,
    by: str = "",
    settings: Settings = DEFAULTS,
    league_table: bool = False,
) -> MeasureBenchmark | Suppressed:
    """The measures that steer a team, one after the other: spread of the true differences, funnel, every interval.

    CSMs are shown by the GRR of their portfolios as well. ``league_table``: places too, each as the range that holds
    it with 90 % probability. Other parameters, and who counts, as in ``benchmark``. The result is the first measure;
    ``others`` are the rest.

    Example:
        >>> cs.reps.steering_measures(tables, "support").benchmark.key
        'csat'
    """
    ask, role = _Question(tables, by, settings, months), checked_role(role)
    keys = (*ask.steered(role), *(("book_grr",) if role == "csm" else ()))
    board = ask.board(role)
    if isinstance(board, Suppressed):
        return _no_comparison(role, board)
    found: list[MeasureBenchmark | Suppressed] = []
    for key in dict.fromkeys(keys):
        bench = _measure(board, key)
        if isinstance(bench, Suppressed):
            found.append(_named(key, bench))
        else:
            found.append(MeasureBenchmark(role, bench, league_table, tables.smallest_group))
    return _first(found)


@front_door("What the mix of cases explains cannot be estimated.", "mix")
def case_mix(
    tables: Tables, role: str, months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> CaseMixEffects | Suppressed:
    """What the mix of cases explains: each rep's figure unadjusted and adjusted, and what about the cases moved it.

    The mix is what was settled before the rep acted: segment, MRR, channel, priority, category, tenure, hour, contract
    term, and the attributes in ``by``. For support the measures that steer it and the time to resolve, for CSMs the GRR
    of their portfolios and the hours spent per account; measures without a figure are left out. Other parameters as in
    ``benchmark``. The result is the first measure; ``others`` are the rest.

    Example:
        >>> "segment" in cs.reps.case_mix(tables, "support").benchmark.mix.factors
        True
    """
    ask, role = _Question(tables, by, settings, months), checked_role(role)
    steered = ask.steered(role) if role == "support" else ()
    board = ask.board(role)
    if isinstance(board, Suppressed):
        return _no_comparison(role, board)
    given = [board.of(key) for key in dict.fromkeys((*steered, *MIX_MEASURES[role]))]
    found = [CaseMixEffects(role, bench) for bench in given if bench is not None and len(bench.shown)]
    if not found:
        raise ContractError("no measure has a figure of any rep.")
    return _first(found)


@front_door("Managers are not compared.", "managers")
def managers(
    tables: Tables, role: str, months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> ManagerBenchmark | Suppressed:
    """Every measure compared between the managers of one team, by the reps recorded under them.

    Differences between the reps of one manager count as chance. At least two managers with two reps each are needed
    (``manager_id`` of reps). Parameters as in ``benchmark``.

    Example:
        >>> cs.reps.managers(tables, "support").board.level
        'manager'
    """
    ask, role = _Question(tables, by, settings, months), checked_role(role)
    board = ask.board(role)
    compared = or_suppressed(compare_reps, board, tables.reps, None, "manager", role, settings.fdr)
    if isinstance(compared, Suppressed):
        words = MEMBERS[role] if role == "csm" else MEMBERS[role].lower()
        return Suppressed(compared.reason, "", f"Managers of {words} are not compared.", f"{role}-managers")
    return ManagerBenchmark(role, compared)


@front_door("Nobody can be called a consistent outlier.", "persistence")
def persistence(
    tables: Tables, role: str, months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> RepeatedOutliers | Suppressed:
    """Reps outside the 95 % limits on the same side in two windows in a row, and what they do differently.

    The two windows of ``months`` months share no month. A measure counts only where at least half of the variance
    between reps is no noise (reliability 0.5), a rep only if further from average than is usual among them. Other
    parameters as in ``benchmark``.

    Example:
        >>> "csat" in {each.key for each in cs.reps.persistence(tables, "support").measures}
        True
    """
    ask, role = _Question(tables, by, settings, months), checked_role(role)
    found = ask.repeated(role)
    measures = tuple(each for each in found if isinstance(each, Persistence))
    if not measures:
        refused = next((each.reason for each in found if isinstance(each, Suppressed)), "")
        reason = refused or "there is no earlier period to compare with"
        return Suppressed(reason, "", "Nobody can be called a consistent outlier.", f"{role}-persistence")
    seen, tickets = ask.seen, ask.tickets_with_attributes()
    touched = (tables.touches, ask.hours()) if role == "csm" else ()
    profiles = or_suppressed(outlier_profiles, measures, tickets, tables.reps, seen.start, seen.end, *touched)
    return RepeatedOutliers(role, measures, (profiles,) if isinstance(profiles, Suppressed) else profiles)


@front_door("How the figures came about could not be looked at.", "screens")
def gaming(
    tables: Tables, months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> GamingQuestions | Suppressed:
    """Questions about how figures of support reps came about; each may have an innocent reason.

    Six screens of the tickets resolved in the window, each rep against peers with the same mix of cases: recorded as
    one contact, handle times just under a target, contacts under 10 seconds, resolved at the month's end, few
    customers asked, easy tickets. Where nobody does anything unusual, a screen raises a question in at most one of 20
    teams. ``settings.handle_target``: the goal for handle times in minutes. Other parameters as in ``summary``.

    Example:
        >>> len(cs.reps.gaming(tables).screens)
        6
    """
    found = _Question(tables, by, settings, months).screens()
    if isinstance(found, Suppressed):
        return found
    if all(screen.refused for screen in found):
        raise ContractError("; ".join(dict.fromkeys(screen.refused for screen in found)))
    return GamingQuestions(found)


@front_door("How newcomers come up cannot be told.", "ramp")
def ramp(tables: Tables, role: str = "", by: str = "", settings: Settings = DEFAULTS) -> Ramp | Suppressed:
    """The measures that steer a team for newcomers, by weeks since hire, case-mix adjusted.

    Newcomers are the reps hired inside the data, compared with reps of more than twelve months of service; a time to
    proficiency needs five of them. ``role``: support or csm, both where empty. Other parameters as in ``summary``. The
    result is the first measure that the data allow; ``others`` are the rest.

    Example:
        >>> cs.reps.ramp(tables, "support").newcomers
        8
    """

    def ramp_of(cases: Cases, key: str) -> Ramp:
        return time_to_proficiency(cases, key, tables.reps, tables.people_records)

    ask = _Question(tables, by, settings)
    found: list[Ramp | Suppressed] = []
    for each in _chosen(role):
        team = ask.team(each)
        ramps = teams.by_measure(team, ask.steered(each), ramp_of)
        found += [_named(key, one) for key, one in ramps.items()]
    return _first(found)


@front_door("How a measure moved cannot be told.", "history")
def history(
    tables: Tables, role: str = "", months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> History | Suppressed:
    """The measures that steer each team by month for the whole organisation, this window against the last.

    CSMs are shown by the renewal rate of their portfolios as well. Months are case-mix adjusted, with 95 % intervals,
    the goal where one is set, and seasons where two years were seen. ``role``: support or csm, both where empty. Other
    parameters as in ``summary``. The result is the first measure that the data allow; ``others`` are the rest.

    Example:
        >>> cs.reps.history(tables, "support").key
        'csat'
    """
    ask = _Question(tables, by, settings, months)
    found: list[History | Suppressed] = []
    for each in _chosen(role):
        found += [_named(key, one) for key, one in ask.histories(each).items()]
    return _first(found)


@front_door("Internal moves cannot be told.", "moves")
def moves(tables: Tables, role: str = "") -> Moves | Suppressed:
    """How many reps moved on to another department, per rep-year employed in the observed time.

    Counts reps with ``left_on`` and ``moved_to``; the interval is the exact one of a Poisson count. ``role``: support
    or csm, both where empty; ``others`` is then the second team.

    Example:
        >>> cs.reps.moves(tables).moves
        3
    """
    found: list[Moves | Suppressed] = []
    for each in _chosen(role):
        one = or_suppressed(internal_moves, tables.reps, each, tables.observed_from, tables.as_of)
        if isinstance(one, Suppressed):
            one = replace(one, conclusion="Internal moves cannot be told.", anchor=f"moves-{each}")
        found.append(one)
    return _first(found)


@front_door("There are no cases of this team.", "cases")
def team_cases(tables: Tables, role: str, by: str = "", settings: Settings = DEFAULTS) -> teams.Team | Suppressed:
    """All cases of one team over all observed months, for the methods that take cases.

    ``.of(key)`` gives the cases of one measure, ``missing`` names those that the data do not hold. Parameters as in
    ``benchmark``.

    Example:
        >>> cs.reps.team_cases(tables, "csm").of("nps").mix
        ('segment', 'MRR', 'tenure')
    """
    return _Question(tables, by, settings).team(checked_role(role))


# --- what several questions share, computed once per company


@dataclass(frozen=True, eq=False)
class _Question(teams.CompanyCases):
    """One call of a front door; ``months`` is the length of its window."""

    months: int = 12

    @property
    def seen(self) -> Windows:
        """The window and the one before it."""
        return teams.windows(self.tables.as_of, self.months)

    def steered(self, role: str) -> tuple[str, ...]:
        """The measures that steer one team."""
        return check_steering(self.settings.steered_by(role), role).keys

    def board(self, role: str, earlier: bool = False) -> Board | Suppressed:
        """All measures of a team compared over the window, or over the one before it."""
        seen, reps, fdr = self.seen, self.tables.reps, self.settings.fdr
        start, end = (seen.before, seen.start) if earlier else (seen.start, seen.end)
        return self.cached(
            ("board", role, start, end),
            lambda: or_suppressed(teams.compare_team, self.team(role), reps, start, end, fdr=fdr),
        )

    def repeated(self, role: str) -> tuple[Persistence | Suppressed, ...]:
        """Per measure the outliers of both windows."""
        return self.cached(
            ("repeated", role, self.months),
            lambda: teams.outliers_by_measure(self.board(role, earlier=True), self.board(role), self.seen),
        )

    def screens(self) -> tuple[Screen, ...] | Suppressed:
        """The questions about how figures of support came about in the window."""
        return self.cached(("screens", self.months), self._screens)

    def _screens(self) -> tuple[Screen, ...] | Suppressed:
        tickets, target = self.tickets_with_attributes(), self.settings.handle_target or None
        return or_suppressed(gaming_screens, tickets, self.tables.reps, self.seen.start, self.seen.end, target)

    def findings(self, role: str) -> TeamFindings:
        """The results behind the sentences about one team."""
        screens = self.screens() if role == "support" else ()
        return TeamFindings(role, self.board(role), self.repeated(role), screens, self.steered(role))

    def histories(self, role: str) -> Mapping[str, History | Suppressed]:
        """The measures that steer a team by month, of CSMs the renewals too; this window against the one before."""
        keys = (*(("book_renewal_rate",) if role == "csm" else ()), *self.steered(role))

        def history_of(cases: Cases, key: str) -> History:
            return monthly_history(cases, key, self.tables.as_of, self.tables.goals, window=self.months)

        return self.cached(
            ("histories", role, self.months), lambda: teams.by_measure(self.team(role), keys, history_of)
        )


def _chosen(role: str) -> tuple[str, ...]:
    """The role that was named, or all roles."""
    return (checked_role(role),) if role else ROLES


def _measure(board: Board, key: str) -> Benchmark | Suppressed:
    """One measure of a board in which at least two reps have a figure, or why there is none."""
    found = board.of(key)
    if found is not None and len(found.shown) > 1:
        return found
    if found is not None:
        return Suppressed(board.refused.get(key, "fewer than two have cases enough"))
    return Suppressed(board.refused.get(key, f"{definitions.short_name(key)} was not measured in these data"))


def _no_comparison(role: str, board: Board | Suppressed) -> Suppressed:
    reason = board.reason if isinstance(board, Suppressed) else "no cases were given"
    return Suppressed(reason, "", f"{MEMBERS[role]} cannot be compared.", f"{role}-real")


def _named(key: str, result: R) -> R:
    """A result, or why there is none, with the measure before it."""
    if not isinstance(result, Suppressed):
        return result
    return replace(result, reason=f"{definitions.short_name(key)}: {result.reason}", anchor=f"no-{key}")


def _first(found: Sequence[S | Suppressed]) -> S | Suppressed:
    """The first result that is there, with all others below it; one ``Suppressed`` with all reasons where none is."""
    for first in found:
        if not isinstance(first, Suppressed):
            return replace(first, others=tuple(each for each in found if each is not first))
    reasons = [each.reason for each in found if isinstance(each, Suppressed)]
    return Suppressed(" ".join(reason if reason.endswith(".") else f"{reason}." for reason in reasons))
