"""What to do next about differences between reps: learn, ask, look at routing, or wait; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cs_helpers.core.results import Suppressed
from cs_helpers.report.words import Headline, called, capital, count, is_given, listed
from cs_helpers.reps.results import Benchmark, Board, PairRow, Persistence, TeamFindings, rows_of
from cs_helpers.reps.views.words import (
    WHO,
    case_word,
    in_short,
    leading_benchmark,
    naming,
    needed_cases,
    rounded,
    size_words,
)

LEADING = ("usage_change", "onboarding_days", "nps")
"""What moves before renewals do."""
MAX_STEPS = 2  # in one sentence about a team


def next_of_teams(teams: Sequence[TeamFindings]) -> Headline:
    """What to do next for each team, the first steps: learn from whom, ask what first, wait for what, pool what.

    A team that cannot be compared has no step where another can. Nothing is decided about anybody: every step is a
    question, a talk or a wait.
    """
    there = [team for team in teams if not isinstance(team.board, Suppressed)] or list(teams)
    said = [
        f"{capital(WHO[team.role][1])}: {'; '.join(steps[:MAX_STEPS])}."
        for team in there
        if (steps := next_steps(team))
    ]
    first = there[0]
    anchor = f"{first.role}-real" if isinstance(first.board, Suppressed) else f"{first.role}-step-0"
    if not said:
        return Headline("Nothing is to be done that these data could support.", "", anchor)
    return Headline("What to do next.", " ".join(said), anchor)


def steps_of(team: TeamFindings) -> tuple[Headline, ...]:
    """Every step for one team, each with a line of its own."""
    steps = enumerate(next_steps(team))
    return tuple(Headline(f"Next: {step}.", "", f"{team.role}-step-{place}") for place, step in steps)


def next_steps(team: TeamFindings) -> list[str]:
    """What follows for one team, as clauses; the first is what matters most.

    Of consistent outliers those count whose measure has a better side; of clear differences that were seen for the
    first time the ones on the measures that steer the team and on the one its sentences are about.
    """
    board, role = team.board, team.role
    if isinstance(board, Suppressed):
        return [f"bring what is missing first ({in_short(board.reason).rstrip('.')})"]
    steps: list[str] = []
    screens = () if isinstance(team.questions, Suppressed) else team.questions
    if asked := sum(len(each.raised) for each in screens if not each.refused):
        steps.append(f"first ask the {count(asked, 'question')} on how figures came about")
    main = leading_benchmark(board, team.steered_by)
    watched = list(dict.fromkeys([*([main.key] if main else []), *team.steered_by]))
    if role == "csm" and not _clear(board, "book_renewal_rate"):
        early = [naming(key) for key in LEADING if board.of(key) is not None]
        watch = f"; {listed(early)} {'moves' if len(early) == 1 else 'move'} earlier" if early else ""
        steps.append(f"judge renewals by the whole team, not by one CSM{watch}")
    good, other, odd, work = _consistent(team.repeated, watched)
    if good:
        steps.append(f"learn from {_listed(good)}, on the better side twice in a row")
    if other:
        steps.append(f"go through cases and their routing with {_listed(other)}, on the other side twice in a row")
    if work:
        steps.append(
            f"look at how work reaches {_listed(work)}, twice outside in a row: whoever hands it out decides that as "
            "much as they do"
        )
    if odd and not good and not other:
        name, key = next(iter(odd.items()))
        steps.append(f"ask {name} what lies behind {naming(key)}, twice outside in a row, where no side is better")
    seen = {*good, *other, *work}
    fresh = [called(label) for key in watched for label in _clear(board, key) if called(label) not in seen]
    if fresh := list(dict.fromkeys(fresh)):
        steps.append(f"wait for the next period with {listed(fresh, most=3)}: so far it is one period")
    if not good and not other and not work and not fresh:
        steps.append(_shared_step(main))
        if wait := _wait_words(main):
            steps.append(wait)
    return steps


def _clear(board: Board, key: str) -> list[str]:
    """Labels of those who are clearly different on one measure; nobody where it was not compared."""
    bench = board.of(key)
    return [] if bench is None else list(bench.clearly_different["label"])


def _consistent(
    repeated: Sequence[Persistence | Suppressed], watched: Sequence[str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str], dict[str, str]]:
    """Name -> measure of the consistent outliers: on the better side, on the other, where no side is better, and by how
    much work is done in the time, which is not theirs alone.

    Measures that are watched come first; a person on the better side of one is not named for the other side of another.
    """
    sides: dict[str, dict[str, str]] = {"better": {}, "worse": {}, "": {}, "work": {}}
    found = [each for each in repeated if not isinstance(each, Suppressed)]
    for each in sorted(found, key=lambda one: watched.index(one.key) if one.key in watched else len(watched)):
        for row in rows_of(each.consistent, PairRow):
            name, side = called(row.label), row.side if row.side in sides else ""
            if side and case_word(each.key) == "month":
                side = "work"
            if not any(name in sides[other] for other in ("better", "worse")):
                sides[side].setdefault(name, each.key)
    return sides["better"], sides["worse"], sides[""], sides["work"]


def _listed(people: Mapping[str, str]) -> str:
    """``Ada and Bo (CSAT), Cy (FCR)``, by measure, at most four names."""
    shown = list(people.items())[:4]
    keys = dict.fromkeys(key for _, key in shown)
    parts = [f"{listed([name for name, own in shown if own == key])} ({naming(key)})" for key in keys]
    more = f" and {len(people) - 4} more" if len(people) > 4 else ""
    return f"{', '.join(parts)}{more}"


def _shared_step(bench: Benchmark | None) -> str:
    """What to work on where nobody stands out."""
    if bench is not None and is_given(bench.spread_low, bench.reliability) and bench.spread_low > 0:
        size = size_words(bench.key, bench.scale, bench.spread)
        return (
            f"let all compare their ways of working, since {naming(bench.key)} does differ, typically by {size}, "
            "though nobody can be told apart"
        )
    return "work on what all share, such as routing, staffing and training, rather than on single people"


def _wait_words(bench: Benchmark | None) -> str:
    """How many cases would show differences in the measure that sentences are about."""
    if bench is None:
        return ""
    need, median = needed_cases(bench), float(bench.shown["n"].median())
    if not is_given(need) or need <= median:
        return ""
    return (
        f"single figures on {naming(bench.key)} begin to mean something at about {count(rounded(need), 'case')} each "
        f"({count(median, 'case')} now)"
    )
