"""What a reader of the figures should know about the data behind them, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cs_helpers.contract import ONE_DAY, SHOWN, Breach, plain
from cs_helpers.mapping import Mapping as ExportMapping
from cs_helpers.periods import day_words, month, month_starts

SET_ASIDE_COLUMNS = ["table", "check", "row", "account_id", "reason"]
INCLUSIVE_ENDS, INCLUSIVE_SHARE = 5, 0.2  # ends one day before the next start, of the ends that a start follows
PILE_UP_RATIO, PILE_UP_ROWS = 3, 20  # ends in the last month against the mean month before it


@dataclass(frozen=True)
class Finding:
    """Something a reader of the figures should know about the data behind them."""

    table: str
    check: str
    severity: str  # "set aside", "warning", or "note" for what is in order but should be known
    rows: int
    message: str


_SET_ASIDE_WORDS = {
    "zero_day": "zero-day subscription(s), ending on the day they start",
    "end_before_start": "row(s) that end before they start",
    "repeated_row": "row(s) that repeat an earlier row in every column",
    "orphan": "row(s) with an account_id no account has",
    "drop_where": "row(s) named by drop_where in the mapping",
}


def set_aside_findings(breaches: list[Breach]) -> list[Finding]:
    """One finding per check and table, with how many rows were set aside."""
    found = []
    for table, check in dict.fromkeys((breach.table, breach.check) for breach in breaches):
        rows = sum(len(each.lines) for each in breaches if (each.table, each.check) == (table, check))
        words = _SET_ASIDE_WORDS[check].replace("(s)", "" if rows == 1 else "s")
        where = next(each.where for each in breaches if each.table == table)
        found.append(Finding(table, check, "set aside", rows, f"{where}: {rows:,} {words}; left out of all figures."))
    return found


def set_aside_rows(breaches: list[Breach], keys: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The rows that were set aside, as a table a reader can work through."""
    rows = [
        (breach.table, breach.check, line, keys[breach.table].get(line, ""), reason)
        for breach in breaches
        for line, reason in zip(breach.lines, breach.reasons, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=SET_ASIDE_COLUMNS)
    return frame.astype({"row": "int64"} | {name: "str" for name in SET_ASIDE_COLUMNS if name != "row"})


def currency_of(settings: ExportMapping, subscriptions: pd.DataFrame) -> tuple[str, list[Finding]]:
    """The source's one currency, and a warning where none is declared."""
    if settings.currency:
        return settings.currency.upper(), []
    written = subscriptions["currency"].dropna() if "currency" in subscriptions else pd.Series(dtype="str")
    if len(written):
        return str(written.iloc[0]).strip().upper(), []
    message = "No currency is declared, so amounts carry none. State it as `currency` in mapping.yml."
    return "", [Finding("subscriptions", "currency_undeclared", "warning", 0, message)]


def concurrent(subscriptions: pd.DataFrame) -> list[Finding]:
    """Accounts that hold several subscriptions at once: their MRR is summed, which has to be said."""
    running = subscriptions[["account_id", "start_date", "end_date"]]
    steps = pd.concat(
        [
            pd.DataFrame({"account_id": running["account_id"], "day": running["start_date"], "step": 1}),
            pd.DataFrame({"account_id": running["account_id"], "day": running["end_date"], "step": -1}).dropna(),
        ]
    ).sort_values(["account_id", "day", "step"])  # an end comes before a start on the same day
    most = steps.groupby("account_id")["step"].cumsum().groupby(steps["account_id"]).max()
    several = most[most > 1]
    if several.empty:
        return []
    rows = int(subscriptions["account_id"].isin(several.index).sum())
    message = (
        f"{len(several):,} of {len(most):,} accounts hold several subscriptions at once (up to {int(several.max())}); "
        "their MRR is summed. `overlap: error` in mapping.yml refuses this instead."
    )
    return [Finding("subscriptions", "concurrent_subscriptions", "note", rows, message)]


def ends_look_inclusive(subscriptions: pd.DataFrame) -> list[Finding]:
    """Whether ends stand one day before the next start, as where the export writes the last paid day."""
    starts = subscriptions[["account_id", "start_date"]].drop_duplicates()
    ends = subscriptions.loc[subscriptions["end_date"].notna(), ["account_id", "end_date"]]
    last = ends["account_id"].map(starts.groupby("account_id")["start_date"].max())
    going_on = ends[last >= ends["end_date"]]
    begun = pd.MultiIndex.from_frame(starts)
    same_day = pd.MultiIndex.from_frame(going_on).isin(begun)
    next_day = pd.MultiIndex.from_arrays([going_on["account_id"], going_on["end_date"] + ONE_DAY]).isin(begun)
    odd = int((next_day & ~same_day).sum())
    if odd < INCLUSIVE_ENDS or odd < INCLUSIVE_SHARE * len(going_on):
        return []
    message = (
        f"{odd:,} of {len(going_on):,} ends after which the account goes on stand exactly one day before its next "
        "start: end_date looks like the last paid day and is read as the first unpaid one. MRR then shows a day "
        "without payment as churn and return. `end_date_is: last_paid_day` in mapping.yml reads it as the last paid "
        "day."
    )
    return [Finding("subscriptions", "ends_look_inclusive", "warning", odd, message)]


def differing_by_case(accounts: pd.DataFrame) -> list[Finding]:
    """Account ids that are one id but for letter case: they count as several accounts, which may be a slip."""
    keys = accounts["account_id"].sort_values()
    alike = keys[keys.str.casefold().duplicated(keep=False)]
    if alike.empty:
        return []
    more = f" and {len(alike) - SHOWN:,} more" if len(alike) > SHOWN else ""
    message = (
        f"{len(alike):,} account ids differ from another one only by letter case "
        f"({', '.join(map(plain, alike[:SHOWN]))}{more}) and count as accounts of their own. If they are the same "
        "accounts, write them alike in the export."
    )
    return [Finding("accounts", "account_ids_differ_by_case", "warning", len(alike), message)]


def as_of_moved(day: pd.Timestamp, instant: pd.Timestamp) -> list[Finding]:
    """Said where the day asked for is not the one the figures speak of."""
    if day == instant:
        return []
    message = (
        f"{day_words(day)} was given as as_of and lies inside a month: the figures speak of {day_words(instant)}, "
        "the first day of that month, so that they hold whole months only."
    )
    return [Finding("subscriptions", "as_of_moved", "note", 0, message)]


def pile_up(subscriptions: pd.DataFrame, observed_from: pd.Timestamp, instant: pd.Timestamp) -> list[Finding]:
    """Whether endings pile up in the last month, as they do where an export was cut off."""
    months = month_starts(month(observed_from), instant)
    if len(months) < 2:
        return []
    ends = subscriptions["end_date"].dropna()
    ended_in = ends[(ends >= months[0]) & (ends < instant)].dt.to_period("M")
    counts = ended_in.value_counts().reindex(months.to_period("M"), fill_value=0)
    last, earlier = int(counts.iloc[-1]), float(counts.iloc[:-1].mean())
    if last < PILE_UP_ROWS or last <= PILE_UP_RATIO * earlier:
        return []
    message = (
        f"{last:,} of {int(counts.sum()):,} ended subscriptions end in {months[-1].month_name()} {months[-1].year}, "
        f"the last month, against {earlier:.1f} in an average month before. This may be how the export was "
        "made; check it before reading the last month as a trend."
    )
    return [Finding("subscriptions", "churn_piles_up", "warning", last, message)]


def churn_records(
    settings: ExportMapping,
    records: Mapping[str, pd.DataFrame],
    everything: pd.DataFrame,
    accounts: pd.DataFrame,
    subscriptions: pd.DataFrame,
    instant: pd.Timestamp,
    exported: bool,
) -> list[Finding]:
    """Do the other records of churn name the accounts that stopped paying? If not, say what each one says.

    ``everything`` are the subscriptions as read, ``subscriptions`` those cut at ``instant``. A record without a
    date cannot be cut: where the export goes on after ``instant`` (``exported``) it counts the accounts known then.
    """
    paying = subscriptions[subscriptions["mrr"] > 0]
    stopped = set(paying["account_id"]) - set(paying.loc[paying["end_date"].isna(), "account_id"])
    parts, differs = [], False
    for record in settings.churn_records:
        rows = records[record.name]
        if "date" in rows:
            rows = rows[~(rows["date"] >= instant)]
        elif exported:
            rows = rows[rows["account_id"].isin(accounts["account_id"])]
        name = record.name + (", as exported," if exported and "date" not in rows else "")
        named = rows[rows["left"]]
        logos = named["account_id"].nunique()
        if record.flag:
            parts.append(f"{name} mark {logos:,} of {rows['account_id'].nunique():,} accounts")
        else:
            parts.append(f"{name} name {logos:,} accounts ({len(named):,} events)")
        differs |= set(named["account_id"]) != stopped
    if not differs:
        return []
    known = everything[everything["start_date"] < instant]
    ended = known[known["end_date"] < instant]
    message = (
        f"{len(parts) + 1} records of who left disagree: {', '.join(parts)}, ended subscriptions are {len(ended):,} of "
        f"{len(known):,} ({ended['account_id'].nunique():,} accounts). By paid periods {len(stopped):,} of "
        f"{len(accounts):,} accounts had stopped paying on {day_words(instant)}. The figures here rest on paid periods."
    )
    return [Finding("subscriptions", "churn_records_disagree", "warning", len(ended), message)]


def counted(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
