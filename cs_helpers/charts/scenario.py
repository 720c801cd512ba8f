"""Charts of assumptions and of evidence: what an outcome hangs on, and how strong each piece of evidence is."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from cs_helpers.charts.ink import ACCENT, GAIN, INK, LOSS, QUIET, STYLE, TOTAL, new_figure
from cs_helpers.charts.labels import beside, count, finite, padded, row_labels, say_nothing, shorten


def tornado(
    rows: Any, narrow: bool = False, money: Callable[[float], str] = count, base: float = np.nan, line: float = 0.0
) -> Figure:
    """How far each input, moved alone from its low to its high, moves the outcome; rows in the order given.

    ``rows``: label, low and high (the outcome at the input's low and high), low_input and high_input (in words),
    origin ("measured", "benchmark" or "guess"). ``base`` is the outcome with every input at its mode, ``line`` where it
    breaks even; a bar that crosses ``line`` decides between gain and loss. At most twelve rows are drawn.
    """
    rows = rows[:12]
    low, high = finite(rows["low"]), finite(rows["high"])
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(1.25 + 0.5 * max(1, len(rows)), narrow)
        if not len(rows) or not (np.isfinite(low) & np.isfinite(high)).any():
            say_nothing(ax, "no input moves the outcome")
            return figure
        middle = base if np.isfinite(base) else float(np.nanmean(np.concatenate([low, high])))
        for y, (at_low, at_high) in enumerate(zip(low, high, strict=True)):
            for end, ink in ((at_low, TOTAL), (at_high, ACCENT)):
                ax.barh(y, end - middle, left=middle, height=0.5, color=ink, alpha=0.9, linewidth=0)
        ax.set_xlim(*padded(np.concatenate([low, high, [middle, line]]), 0.08 if narrow else 0.31))
        ax.axvline(middle, color=INK, linewidth=1)
        ax.axvline(line, color=LOSS, linewidth=1.3, linestyle=(0, (4, 3)))
        at: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
        ax.annotate("break-even", (line, 1), (0, 4), color=LOSS, **at)
        spans = rows["low_input"].astype(str) + " to " + rows["high_input"].astype(str)
        pairs = zip(rows["origin"], spans, strict=True)
        notes = [shorten(f"{o}: {s}", most=34) if narrow else shorten(o, most=26) for o, s in pairs]
        row_labels(ax, [shorten(label, narrow, 26) for label in rows["label"]], notes)
        for y, (at_low, at_high) in enumerate([] if narrow else zip(low, high, strict=True)):
            words = (rows["low_input"].iloc[y], rows["high_input"].iloc[y])
            for end, text in ((at_low, words[0]), (at_high, words[1])):
                left = end < middle or (end == middle and text == words[0])
                if np.isfinite(end):
                    place: Any = {"textcoords": "offset points", "va": "center", "ha": "right" if left else "left"}
                    ax.annotate(shorten(text, narrow, 14), (end, y), (-4 if left else 4, 0), color=QUIET, **place)
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(3 if narrow else 6))
        ax.xaxis.set_major_formatter(lambda value, _: money(value))
        key = ["grey: input at its low, blue: at its high"]
        if np.isfinite(base):
            key.append(f"line: all inputs at their mode, {money(base)}")
        figure.supxlabel(("\n" if narrow else " · ").join(key), size=10, color=QUIET)
    return figure


def ladder(rows: Any, narrow: bool = False, number: Callable[[float], str] = count, zero: float = 0.0) -> Figure:
    """Rungs of evidence, the strongest on top: a point with its interval, or in words why there is none.

    ``rows``: label, note, value, low, high (missing where refused), status ("shown", "refused" or "refuted"), why. A
    refuted rung is hollow and quiet: it is there to be seen through. ``zero`` is the line of no effect.
    """
    value, low, high = (finite(rows[column]) for column in ("value", "low", "high"))
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(0.95 + 0.52 * max(1, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "there is no evidence to show")
            return figure
        status = rows["status"].astype(str).to_numpy()
        given = (status != "refused") & np.isfinite(value)
        ax.set_xlim(*padded(np.concatenate([value[given], low[given], high[given], [zero]]), 0.1))
        ax.axvline(zero, color=INK, linewidth=1)
        row_labels(ax, [shorten(text, narrow) for text in rows["label"]], [shorten(t, narrow) for t in rows["note"]])
        left, right = ax.get_xlim()
        for y, kind in enumerate(status):
            if not given[y]:
                why = shorten(rows["why"].iloc[y] or "not given", most=40 if narrow else 62)
                why = "\n".join(wrap(why, 22 if narrow else 64)[:2])
                ax.text((left + right) / 2, y, why, ha="center", va="center", color=QUIET, style="italic")
                continue
            refuted = kind == "refuted"
            ink = TOTAL if refuted else GAIN if low[y] > zero else LOSS if high[y] < zero else ACCENT
            style: Any = {"linestyle": (0, (2, 2))} if refuted else {}
            ax.hlines(y, low[y], high[y], color=ink, alpha=0.6, linewidth=3, **style)
            ax.plot([value[y]], [y], "o", color=ink, markerfacecolor="none" if refuted else ink, markersize=8)
            beside(ax, y, number(value[y]), weight="normal" if refuted else "bold", color=QUIET if refuted else INK)
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(3 if narrow else 6))
        ax.xaxis.set_major_formatter(lambda at, _: number(at))
        if (status == "refuted").any():
            figure.supxlabel("○ refuted: shown because it is what is usually quoted", size=10, color=QUIET)
    return figure
