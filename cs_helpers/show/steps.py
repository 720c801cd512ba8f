"""What to do next about differences between reps: learn, ask, look at routing, or wait; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cs_helpers.core.results import Suppressed
from cs_helpers.report.words import Headline, called, capital, count, is_given, listed
from cs_helpers.show.reps import WHO, case_word, in_short, leading_measure, naming, needed_cases, rounded, size_words

LEADING = ("usage_change", "onboarding_days", "nps")
"""What moves before renewals do."""
MOST_STEPS = 2  # in one sentence about a team


def say_next(
    boards: Mapping[str, Any],
    persistences: Mapping[str, Sequence[Any]] | None = None,
    screens: Mapping[str, Any] | None = None,
    steered: Mapping[str, Sequence[str]] | None = None,
    anchor: str = "next",
) -> Headline:
    """What to do next for each team, the first steps: learn from whom, ask what first, wait for what, pool what.

    Each mapping goes by role; a team that cannot be compared has no step where another can. Nothing is decided about
    anybody: every step is a question, a talk or a wait.
    """
    said = []
    there = {role: board for role, board in boards.items() if not isinstance(board, Suppressed)}
    for role, board in (there or boards).items():
        given = [(each or {}).get(role, ()) for each in (persistences, screens, steered)]
        if steps := next_steps(board, role, *given):
            said.append(f"{capital(WHO[role][1])}: {'; '.join(steps[:MOST_STEPS])}.")
    if not said:
        return Headline("Nothing is to be done that these data could support.", "", anchor)
    return Headline("What to do next.", " ".join(said), anchor)


def steps_of(
    boards: Mapping[str, Any],
    persistences: Mapping[str, Sequence[Any]],
    screens: Mapping[str, Any],
    steered: Mapping[str, Sequence[str]],
    role: str,
) -> tuple[Headline, ...]:
    """Every step for one team, each with a line of its own; nothing where the headline is not about it.

    The first line is the place that ``say_next`` links to.
    """
    if role not in boards:
        return ()
    given = [each.get(role, ()) for each in (persistences, screens, steered)]
    steps = next_steps(boards[role], role, *given)
    first = next(iter(boards)) == role
    return tuple(
        Headline(f"Next: {step}.", "", "next" if first and not place else f"{role}-step-{place}")
        for place, step in enumerate(steps)
    )


def next_steps(
    board: Any, role: str, persistences: Sequence[Any] = (), screens: Any = (), steer: Sequence[str] = ()
) -> list[str]:
    """What follows for one team, as clauses; the first is what matters most.

    Of consistent outliers those count whose measure has a better side; of those told apart for the first time the ones
    on the measures that steer the team and on the one its sentences speak of.
    """
    if isinstance(board, Suppressed):
        return [f"bring what is missing first ({in_short(board.reason).rstrip('.')})"]
    steps: list[str] = []
    asked = 0 if isinstance(screens, Suppressed) else sum(len(each.raised) for each in screens if not each.refused)
    if asked:
        steps.append(f"first ask the {count(asked, 'question')} on how figures came about")
    main = leading_measure(board, role, steer)
    watched = list(dict.fromkeys([main, *steer]))
    if role == "csm" and not _told(board, "book_renewal_rate"):
        early = [naming(key) for key in LEADING if board.of(key) is not None]
        watch = f"; {listed(early)} {'moves' if len(early) == 1 else 'move'} earlier" if early else ""
        steps.append(f"judge renewals by the whole team, not by one CSM{watch}")
    good, other, odd, work = _consistent(persistences, watched)
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
    known = {*good, *other, *work}
    fresh = [called(label) for key in watched if key for label in _told(board, key) if called(label) not in known]
    if fresh := list(dict.fromkeys(fresh)):
        steps.append(f"wait for the next period with {listed(fresh, most=3)}: so far it is one period")
    if not good and not other and not work and not fresh:
        steps.append(_shared_step(board, main))
        if wait := _wait_words(board, main):
            steps.append(wait)
    return steps


def _told(board: Any, key: str) -> list[str]:
    """Labels of those told apart on one measure; nobody where it was not compared."""
    bench = board.of(key)
    return [] if bench is None else list(bench.told_apart["label"])


def _consistent(
    persistences: Sequence[Any], watched: Sequence[str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str], dict[str, str]]:
    """Name -> measure of the consistent outliers: on the better side, on the other, where no side is better, and by how
    much work is done in the time, which is not theirs alone.

    Measures that are watched come first; who is on the better side of one is not named for the other side of another.
    """
    sides: dict[str, dict[str, str]] = {"better": {}, "worse": {}, "": {}, "work": {}}
    given = [each for each in persistences if not isinstance(each, Suppressed)]
    for each in sorted(given, key=lambda one: watched.index(one.key) if one.key in watched else len(watched)):
        for row in each.consistent.itertuples():
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


def _shared_step(board: Any, main: str) -> str:
    """What to work on where nobody stands out."""
    bench = board.of(main) if main else None
    if bench is not None and is_given(bench.spread_low, bench.reliability) and bench.spread_low > 0:
        size = size_words(bench.key, bench.scale, bench.spread)
        return (
            f"let all compare their ways of working, since {naming(bench.key)} does differ, typically by {size}, "
            "though nobody can be told apart"
        )
    return "work on what all share, such as routing, staffing and training, rather than on single people"


def _wait_words(board: Any, main: str) -> str:
    """How many cases would show differences in the measure that sentences speak of."""
    bench = board.of(main) if main else None
    if bench is None:
        return ""
    need, median = needed_cases(bench), float(bench.shown["n"].median())
    if not is_given(need) or need <= median:
        return ""
    return (
        f"single figures on {naming(main)} begin to mean something at about {count(rounded(need), 'case')} each "
        f"({count(median, 'case')} now)"
    )
