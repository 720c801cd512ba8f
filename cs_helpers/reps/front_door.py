"""Questions about the reps of a company: each takes its tables and returns a result that shows itself.

What several questions share (cases, comparisons of both windows, screens) is computed once per company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Result, Suppressed, front_door, or_suppressed
from cs_helpers.reps.activity_metrics import coverage_cases, onboarding_cases, touch_cases, touch_hours_cases
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.measures import ROLES
from cs_helpers.reps.move_rates import internal_moves
from cs_helpers.reps.portfolios import Portfolios, nps_cases, portfolio_months, renewal_cases, usage_cases
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
)
from cs_helpers.reps.screens import gaming_screens
from cs_helpers.reps.settings import DEFAULTS, Settings
from cs_helpers.reps.steering import check_steering
from cs_helpers.reps.support import (
    agent_cases,
    answer_rates,
    contact_cases,
    resolution_cases,
    resolved_rates,
    work_cases,
)
from cs_helpers.reps.teams import (
    Team,
    checked_role,
    chosen_roles,
    compare_team,
    histories_by_measure,
    mix_attributes,
    outliers_by_measure,
    profiles_by_measure,
    ramps_by_measure,
    team_cases,
    windows,
    with_attributes,
)
from cs_helpers.retention import due_renewals, renewals_of

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables

R = TypeVar("R", bound=Result)

MEMBERS = {"support": "Support reps", "csm": "CSMs"}
MIX_MEASURES = {"support": ("resolution_hours",), "csm": ("book_grr", "touch_hours_per_account")}


@front_door("Reps cannot be compared.", "reps")
def summary(
    tables: Tables, role: str = "", months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> RepsSummary:
    """Headline numbers and takeaways: which differences between reps are clear, which are not, what to do next.

    Counts, for each team, the reps whose figure is clearly different from average on the measure that steers the team,
    and compares the organisation with its own past. ``role``: support or csm, both where empty. ``months``: length of
    the window that ends at the as-of date; the one before it, of the same length, says who stands out again. ``by``:
    attributes of accounts that belong to the mix of cases beside the segment, separated by commas. A team without data
    is named with the reason.

    Raises ParameterError for an unknown role, attribute or measure and for a window without months.

    Example:
        >>> len(cs.reps.summary(tables).teams)
        2
    """
    roles = chosen_roles(role)
    steering = {each: check_steering(settings.steered_by(each), each) for each in ROLES}
    keys = {"support": steering["support"].keys, "csm": ("book_renewal_rate", *steering["csm"].keys)}
    return RepsSummary(
        teams=tuple(_findings(tables, each, months, by, settings) for each in roles),
        histories={each: _histories(tables, each, keys[each], months, by, settings) for each in roles},
        warnings=tuple(warning for each in ROLES for warning in steering[each].warnings),
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
        1
    """
    role = checked_role(role)
    steering = check_steering(settings.steered_by(role), role)
    team = _team(tables, role, by, settings)
    board = _board(tables, role, months, by, settings)
    if isinstance(board, Suppressed) or isinstance(team, Suppressed):
        return _no_comparison(role, board)
    seen = windows(tables.as_of, months)
    tickets = _tickets(tables, settings.repeat_days)
    support = role == "support"
    return TeamBenchmark(
        role=role,
        board=board,
        findings=_findings(tables, role, months, by, settings),
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
    role = checked_role(role)
    keys = (*check_steering(settings.steered_by(role), role).keys, *(("book_grr",) if role == "csm" else ()))
    board = _board(tables, role, months, by, settings)
    if isinstance(board, Suppressed):
        return _no_comparison(role, board)
    found: list[MeasureBenchmark | Suppressed] = []
    for key in dict.fromkeys(keys):
        bench = _measure(board, key)
        if isinstance(bench, Suppressed):
            found.append(_named(key, bench))
        else:
            found.append(MeasureBenchmark(role, bench, league_table, tables.smallest_group))
    first, others = _first(found)
    return first if isinstance(first, Suppressed) else replace(first, others=others)


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
    role = checked_role(role)
    steered = check_steering(settings.steered_by(role), role).keys if role == "support" else ()
    board = _board(tables, role, months, by, settings)
    if isinstance(board, Suppressed):
        return _no_comparison(role, board)
    given = [board.of(key) for key in dict.fromkeys((*steered, *MIX_MEASURES[role]))]
    found = [CaseMixEffects(role, bench) for bench in given if bench is not None and len(bench.shown)]
    if not found:
        raise ContractError("no measure has a figure of any rep.")
    return replace(found[0], others=tuple(found[1:]))


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
    role = checked_role(role)
    board = _board(tables, role, months, by, settings)
    compared = or_suppressed(compare_reps, board, tables.reps, None, "manager", role, settings.fdr)
    if isinstance(compared, Suppressed):
        words = MEMBERS[role] if role == "csm" else MEMBERS[role].lower()
        return Suppressed(compared.reason, "", f"Managers of {words} are not compared.", f"{role}-managers")
    return ManagerBenchmark(role, compared)


@front_door("Nobody can be called a consistent outlier.", "persistence")
def persistence(
    tables: Tables, role: str, months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> RepeatedOutliers | Suppressed:
    """Who lay outside the 95 % limits on the same side in two windows in a row, and what these reps do differently.

    The two windows of ``months`` months share no month. A measure counts only where at least half of the variance
    between reps is no noise (reliability 0.5), a rep only if further from average than is usual among them. Other
    parameters as in ``benchmark``.

    Example:
        >>> "csat" in {each.key for each in cs.reps.persistence(tables, "support").measures}
        True
    """
    role = checked_role(role)
    seen = windows(tables.as_of, months)
    found = _repeated(tables, role, months, by, settings)
    measures = tuple(each for each in found if isinstance(each, Persistence))
    if not measures:
        refused = next((each.reason for each in found if isinstance(each, Suppressed)), "")
        reason = refused or "there is no earlier period to compare with"
        return Suppressed(reason, "", "Nobody can be called a consistent outlier.", f"{role}-persistence")
    work = _work(tables, by, settings)
    hours = _hours(tables, by, settings) if role == "csm" else None
    touches = tables.touches if isinstance(hours, Cases) else None
    profiles = or_suppressed(
        profiles_by_measure,
        measures, work, tables.reps, seen.start, seen.end, touches, hours,
    )  # fmt: skip
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
    found = _screens(tables, months, by, settings)
    if isinstance(found, Suppressed):
        return found
    if all(screen.refused for screen in found):
        raise ContractError("; ".join(dict.fromkeys(screen.refused for screen in found)))
    return GamingQuestions(found)


@front_door("How newcomers come up cannot be told.", "ramp")
def ramp(tables: Tables, role: str = "", by: str = "", settings: Settings = DEFAULTS) -> Ramp | Suppressed:
    """How newcomers come up in the measures that steer their team, by weeks since hire, case-mix adjusted.

    Newcomers are the reps hired inside the data, compared with reps of more than twelve months of service; a time to
    proficiency needs five of them. ``role``: support or csm, both where empty. Other parameters as in ``summary``. The
    result is the first measure that the data allow; ``others`` are the rest.

    Example:
        >>> cs.reps.ramp(tables, "support").newcomers
        1
    """
    found: list[Ramp | Suppressed] = []
    for each in chosen_roles(role):
        keys = check_steering(settings.steered_by(each), each).keys
        team = _team(tables, each, by, settings)
        by_measure = ramps_by_measure(team, keys, tables.reps, tables.people_records)
        found += [_named(key, one) for key, one in by_measure.items()]
    first, others = _first(found)
    return first if isinstance(first, Suppressed) else replace(first, others=others)


@front_door("How a measure moved cannot be told.", "history")
def history(
    tables: Tables, role: str = "", months: int = 12, by: str = "", settings: Settings = DEFAULTS
) -> History | Suppressed:
    """The organisation against itself: the measures that steer each team by month, this window against the last.

    CSMs are shown by the renewal rate of their portfolios as well. Months are case-mix adjusted, with 95 % intervals,
    the goal where one is set, and seasons where two years were seen. ``role``: support or csm, both where empty. Other
    parameters as in ``summary``. The result is the first measure that the data allow; ``others`` are the rest.

    Example:
        >>> cs.reps.history(tables, "support").key
        'csat'
    """
    found: list[History | Suppressed] = []
    for each in chosen_roles(role):
        keys = check_steering(settings.steered_by(each), each).keys
        wanted = ("book_renewal_rate", *keys) if each == "csm" else keys
        by_measure = _histories(tables, each, wanted, months, by, settings)
        found += [_named(key, one) for key, one in by_measure.items()]
    first, others = _first(found)
    return first if isinstance(first, Suppressed) else replace(first, others=others)


@front_door("Internal moves cannot be told.", "moves")
def moves(tables: Tables, role: str = "") -> Moves | Suppressed:
    """How many reps moved on to another department, per rep-year employed in the observed time.

    Counts reps with ``left_on`` and ``moved_to``; the interval is the exact one of a Poisson count. ``role``: support
    or csm, both where empty; ``others`` is then the second team.

    Example:
        >>> cs.reps.moves(tables).role
        'support'
    """
    found: list[Moves | Suppressed] = []
    for each in chosen_roles(role):
        one = or_suppressed(internal_moves, tables.reps, each, tables.observed_from, tables.as_of)
        if isinstance(one, Suppressed):
            one = replace(one, conclusion="Internal moves cannot be told.", anchor=f"moves-{each}")
        found.append(one)
    first, others = _first(found)
    return first if isinstance(first, Suppressed) else replace(first, others=others)


# --- what several questions share, computed once per company


def _tickets(tables: Tables, repeat_days: int) -> pd.DataFrame | Suppressed:
    """The roll-up of tickets over all observed months."""
    tickets: pd.DataFrame | Suppressed = or_suppressed(
        tables.rollup, "ticket_cases", start=tables.observed_from, as_of=tables.as_of, days=repeat_days
    )
    return tickets


def _work(tables: Tables, by: str, settings: Settings) -> pd.DataFrame | Suppressed:
    """Tickets with the attributes of their accounts."""
    work: pd.DataFrame | Suppressed = or_suppressed(
        with_attributes, _tickets(tables, settings.repeat_days), mix_attributes(tables.accounts, by)
    )
    return work


def _team(tables: Tables, role: str, by: str, settings: Settings) -> Team | Suppressed:
    """All cases of one team over all observed months."""
    make = _support_team if role == "support" else _csm_team
    return tables.cached(("reps.team", role, by, settings), lambda: make(tables, by, settings))


def _support_team(tables: Tables, by: str, settings: Settings) -> Team | Suppressed:
    attributes = mix_attributes(tables.accounts, by)
    tickets = _tickets(tables, settings.repeat_days)
    people, observed = tables.reps, (tables.observed_from, tables.as_of)
    seconds = settings.service_level_seconds
    return team_cases(
        "support",
        or_suppressed(resolution_cases, tickets, *observed, attributes),
        or_suppressed(contact_cases, tickets, *observed, attributes, seconds),
        or_suppressed(work_cases, tickets, people, *observed),
        or_suppressed(agent_cases, tables.surveys, people, *observed),
    )


def _csm_team(tables: Tables, by: str, settings: Settings) -> Team | Suppressed:
    first, last = observed = (tables.observed_from, tables.as_of)
    paid = or_suppressed(tables.rollup, "paid_periods")
    due = or_suppressed(due_renewals, tables.subscriptions, paid, observed_from=first, as_of=last)
    renewals = or_suppressed(renewals_of, tables.renewals, due, last)
    usage = or_suppressed(tables.rollup, "usage_features", first=first, last=last, dense=True, step=3)
    panel = or_suppressed(tables.account_months)
    portfolios = _portfolios(tables, by, settings)
    return team_cases(
        "csm",
        or_suppressed(renewal_cases, renewals, portfolios, *observed, tables.subscriptions),
        or_suppressed(portfolio_months, panel, portfolios, *observed),
        or_suppressed(nps_cases, tables.surveys, portfolios, *observed),
        or_suppressed(usage_cases, usage, portfolios, *observed),
        or_suppressed(onboarding_cases, tables.touches, portfolios, *observed),
        or_suppressed(coverage_cases, tables.touches, portfolios, *observed),
        or_suppressed(touch_cases, tables.touches, tables.reps, *observed),
        _hours(tables, by, settings),
    )


def _portfolios(tables: Tables, by: str, settings: Settings) -> Portfolios | Suppressed:
    portfolios: Portfolios | Suppressed = or_suppressed(
        Portfolios,
        tables.assignments,
        tables.reps,
        or_suppressed(tables.rollup, "paid_periods"),
        mix_attributes(tables.accounts, by),
        settings.handover_days,
    )
    return portfolios


def _hours(tables: Tables, by: str, settings: Settings) -> Cases | Suppressed:
    """Hours spent on accounts by month, as cases of the CSM who had the account."""

    def make() -> Cases | Suppressed:
        panel = or_suppressed(tables.account_months)
        portfolios = _portfolios(tables, by, settings)
        hours: Cases | Suppressed = or_suppressed(
            touch_hours_cases, tables.touches, panel, portfolios, tables.observed_from, tables.as_of
        )
        return hours

    return tables.cached(("reps.hours", by, settings), make)


def _board(
    tables: Tables, role: str, months: int, by: str, settings: Settings, earlier: bool = False
) -> Board | Suppressed:
    """All measures of a team compared over the last window, or over the one before it."""
    seen = windows(tables.as_of, months)
    start, end = (seen.before, seen.start) if earlier else (seen.start, seen.end)

    def make() -> Board | Suppressed:
        team = _team(tables, role, by, settings)
        board: Board | Suppressed = or_suppressed(compare_team, team, tables.reps, start, end, fdr=settings.fdr)
        return board

    return tables.cached(("reps.board", role, start, end, by, settings), make)


def _repeated(
    tables: Tables, role: str, months: int, by: str, settings: Settings
) -> tuple[Persistence | Suppressed, ...]:
    """Per measure who stands out in both windows."""
    before, now = (_board(tables, role, months, by, settings, earlier) for earlier in (True, False))
    return outliers_by_measure(before, now, windows(tables.as_of, months))


def _screens(tables: Tables, months: int, by: str, settings: Settings) -> tuple[Screen, ...] | Suppressed:
    """The questions about how figures of support came about in the last window."""
    seen = windows(tables.as_of, months)

    def make() -> tuple[Screen, ...] | Suppressed:
        work = _work(tables, by, settings)
        found: tuple[Screen, ...] | Suppressed = or_suppressed(
            gaming_screens, work, tables.reps, seen.start, seen.end, settings.handle_target or None
        )
        return found

    return tables.cached(("reps.screens", months, by, settings), make)


def _findings(tables: Tables, role: str, months: int, by: str, settings: Settings) -> TeamFindings:
    """What the sentences about one team rest on."""
    return TeamFindings(
        role=role,
        board=_board(tables, role, months, by, settings),
        repeated=_repeated(tables, role, months, by, settings),
        questions=_screens(tables, months, by, settings) if role == "support" else (),
        steered_by=check_steering(settings.steered_by(role), role).keys,
    )


def _histories(
    tables: Tables, role: str, keys: Sequence[str], months: int, by: str, settings: Settings
) -> Mapping[str, History | Suppressed]:
    """Measures of a team by month, and the last window against the one before."""

    def make() -> Mapping[str, History | Suppressed]:
        team = _team(tables, role, by, settings)
        return histories_by_measure(team, keys, tables.as_of, tables.goals, months)

    return tables.cached(("reps.histories", role, tuple(keys), months, by, settings), make)


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


def _first(found: Sequence[R | Suppressed]) -> tuple[R | Suppressed, tuple[Result, ...]]:
    """The first result that is there, and all others; one ``Suppressed`` with all reasons where none is."""
    first = next((each for each in found if not isinstance(each, Suppressed)), None)
    if first is None:
        reasons = [each.reason for each in found if isinstance(each, Suppressed)]
        return Suppressed(" ".join(reason if reason.endswith(".") else f"{reason}." for reason in reasons)), ()
    return first, tuple(each for each in found if each is not first)
