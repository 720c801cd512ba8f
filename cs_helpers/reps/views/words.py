"""Words that sentences, tables and charts of this subject share: names of people and measures, figures, sizes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from cs_helpers.core import metrics as definitions
from cs_helpers.report.figures import difference, difference_span, figure
from cs_helpers.report.words import called, count, inside, is_given, percent
from cs_helpers.reps.results import Benchmark, Board, MoveRow, UnitRow

WHO = {"support": ("support rep", "support reps"), "csm": ("CSM", "CSMs"), "manager": ("manager", "managers")}
"""What the compared people are called: one and many."""

FIRST = {
    "support": ("csat", "resolution_hours", "tickets_per_working_day"),
    "csm": ("book_renewal_rate", "nps", "book_grr"),
}
"""The measures that a sentence about a whole team is about, the most telling first."""

_UNIT_WORDS = re.compile(r"(?<=\d) [a-z][a-z ]*$")
_PER_TIME = ("tickets per day", "tickets per hour", "per day")  # counted by month of a rep
_FACTORS = {"weekend": "the day of the week"}


def who(level: str, role: str, number: float = 2) -> str:
    """``support rep``, ``CSMs``, ``managers``: the people whom a comparison at one level is about."""
    one, many = WHO.get(level if level == "manager" else role, ("rep", "reps"))
    return one if number == 1 else many


def people(number: int, level: str, role: str) -> str:
    """``1 support rep``, ``12 CSMs``."""
    return count(number, who(level, role, 1), who(level, role))


def compared_measures(board: Board) -> list[Benchmark]:
    """The measures of a board in which at least two people have a figure."""
    return [each for each in board.benchmarks if each.key not in board.refused]


def naming(key: str) -> str:
    """A metric's name inside a sentence: ``CSAT``, ``tickets per working day``."""
    return inside(definitions.short_name(key))


def leading_benchmark(board: Board, steer: Sequence[str] = ()) -> Benchmark | None:
    """The measure that sentences about the whole team are about; None where none could be compared.

    The first that is there of: the first one that steers the team, those that fit its role best, all others.
    """
    there = {each.key: each for each in compared_measures(board)}
    wanted = [*steer[:1], *FIRST.get(board.role, ()), *steer, *there]
    return next((there[key] for key in wanted if key in there), None)


def in_short(reason: str) -> str:
    """The first sentence of a reason."""
    return reason.split(". ")[0].split("\n")[0]


def noise_words(bench: Benchmark) -> str:
    """How much of what differs between people is chance."""
    if not is_given(bench.reliability):
        return "how much of it is chance cannot be told"
    if bench.reliability < 0.005:
        return "with cases alike, nothing of what differs between them is more than chance"
    return f"with cases alike, {percent(1 - bench.reliability, 0)} of what differs between them is chance"


def needed_cases(bench: Benchmark) -> float:
    """Cases a rep (of average independence) at which half of what differs between reps would be no chance.

        n x (1 - R) / R

    with R the reliability at the median number of cases n (Spearman 1910, Brown 1910). NaN where no true difference was
    found, since no number of cases would do.
    """
    shown = bench.shown
    if not len(shown) or not is_given(bench.reliability) or bench.reliability < 0.01:
        return math.nan
    if bench.reliability >= 1:
        return 0.0
    return float(shown["n"].median()) * (1 - bench.reliability) / bench.reliability


def case_word(key: str) -> str:
    """What one case of a measure is: a month of a rep where something is counted per time worked."""
    return "month" if definitions.metric(key).unit in _PER_TIME else "case"


def needed_words(bench: Benchmark) -> str:
    """``420 cases each, 120 cases now``; that it is enough; or that no number of cases would do."""
    need, shown, word = needed_cases(bench), bench.shown, case_word(bench.key)
    if not len(shown):
        return "–"
    median = float(shown["n"].median())
    if not is_given(need):
        return "no difference found that more cases could show"
    if need <= median:
        return f"enough: {count(median, word)} in the median"
    return f"{count(rounded(need), word)} each, {count(median, word)} now"


def rounded(value: float) -> float:
    """Two digits in all, upward."""
    if value <= 10:
        return math.ceil(value)
    size = 10 ** (math.floor(math.log10(value)) - 1)
    result: float = math.ceil(value / size) * size
    return result


def size_words(key: str, scale: str, value: float) -> str:
    """A size without sign, in the words of ``difference``."""
    return difference(key, scale, value).lstrip("+")


def size_span(key: str, scale: str, low: float, high: float) -> str:
    """The interval of a size, without signs."""
    return difference_span(key, scale, low, high).replace("+", "") if is_given(low, high) else "cannot be given"


def factor_words(name: object) -> str:
    """A column of the case mix in words: ``the segment``, ``the MRR``."""
    return _FACTORS.get(str(name), f"the {called(str(name).replace('_', ' '))}")


def side_words(side: str) -> str:
    """A side of the centre: ``the better side``; ``higher`` where no side is better."""
    return {"better": "the better side", "worse": "the other side"}.get(side, side)


def mover_why(row: MoveRow, short: bool = False) -> str:
    """What about the cases moved a figure most: ``75 % of the cases are Enterprise (segment), 31 % of all are``."""
    if not isinstance(row.why, str) or not row.why:
        return ""
    factor = factor_words(row.why)
    if not row.why_level or not is_given(row.why_share):
        return f"mostly {factor} of the cases"
    if short:
        return f"{called(row.why_level)} {percent(row.why_share, 0)}, of all {percent(row.why_share_all, 0)}"
    return (
        f"{percent(row.why_share, 0)} of the cases are {called(row.why_level)} ({factor.removeprefix('the ')}), "
        f"{percent(row.why_share_all, 0)} of all are"
    )


def verdict_words(row: UnitRow) -> str:
    """The verdict of a table: with the reason where there are too few cases, and whether the difference is unusual."""
    if row.verdict == "too few":
        return f"too few: {called(row.reason)}" if row.reason else "too few"
    clear = row.verdict != "not distinguishable" and bool(row.exceptional)
    return f"{row.verdict}, beyond the usual differences" if clear else row.verdict


def bare(words: str) -> str:
    """A figure or its interval without a unit in words: ``3.4`` of ``3.4 hours``; ``81.2 %`` and points stay."""
    return _UNIT_WORDS.sub("", words)


def unit_words(key: str) -> str:
    """The unit of a metric where values write it in words: ``hours``; nothing for percent and points."""
    unit = _UNIT_WORDS.search(figure(key, 2.0))
    return unit.group().strip() if unit else ""


def axis_words(key: str) -> str:
    """What an axis shows: the measure with cases alike, and its unit in words where values do not say it."""
    name, unit = naming(key), unit_words(key)
    return f"{name}, cases alike{f' ({unit})' if unit and ' per ' not in name else ''}"


def number_of(key: str) -> Callable[[float], str] | None:
    """How a chart writes values of a metric, without the unit that stands on the axis; None for plain shares."""
    share = definitions.metric(key).unit == "fraction" and figure(key, 0.5) == percent(0.5)
    return None if share else lambda value: bare(figure(key, value))
