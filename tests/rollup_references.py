"""What the roll-ups must equal, computed otherwise: plain pandas and plain loops over days, never SQL.

Every function takes frames with the contract's columns and gives the columns of the roll-up of its name.
"""

import numpy as np
import pandas as pd

from cs_helpers.core import periods

MOVEMENTS = ["new", "expansion", "reactivation", "contraction", "churn"]
DAY = pd.Timedelta(days=1)
REP_COUNTS = [
    "opened", "answered", "abandoned", "answered_in_target", "abandoned_after_target", "waits", "wait_seconds",
    "first_responses", "resolved", "days_with_closures", "handled", "handle_minutes", "csat_answers", "csat_top2",
    "ces_answers", "ces_top3", "ces_sum", "reopened_known", "reopened", "escalated_known", "escalated",
]  # fmt: skip
REP_AVERAGES = [
    "asa_seconds", "first_response_median_minutes", "first_response_p90_minutes", "resolution_median_minutes",
    "resolution_p90_minutes",
]  # fmt: skip


def cents(money):
    return (money * 100).round().astype("int64")


def levels(subscriptions):
    """Each account's MRR step function: one row per day on which it changes, with ``before`` and ``level``."""
    paid = subscriptions.loc[subscriptions["mrr"] > 0, ["account_id", "start_date", "end_date", "mrr"]]
    paid = paid[~(paid["end_date"] <= paid["start_date"])]
    price, ends = cents(paid["mrr"]), paid["end_date"].notna()
    steps = pd.DataFrame(
        {
            "account_id": pd.concat([paid["account_id"], paid.loc[ends, "account_id"]]),
            "date": pd.concat([paid["start_date"], paid.loc[ends, "end_date"]]),
            "step": pd.concat([price, -price[ends]]),
        }
    )
    by_day = steps.groupby(["account_id", "date"], sort=True)["step"].sum()
    found = by_day[by_day != 0].reset_index()
    found["level"] = found.groupby("account_id")["step"].cumsum()
    found["before"] = found["level"] - found["step"]
    return found


def paid_periods(subscriptions):
    found = levels(subscriptions)
    found["end_date"] = found.groupby("account_id")["date"].shift(-1)
    running = found[found["level"] > 0]
    return pd.DataFrame(
        {
            "account_id": running["account_id"],
            "start_date": running["date"],
            "end_date": running["end_date"],
            "mrr_cents": running["level"],
        }
    ).reset_index(drop=True)


def account_month(subscriptions, start, end, dense=False):
    """From the steps: every month's movements, and positions as running sums over a dense matrix."""
    months = periods.month_starts(start, end)
    found = levels(subscriptions)
    first = found.groupby("account_id")["date"].transform("min")
    rise, step = found["step"] > 0, found["step"].abs()
    from_zero, to_zero = found["before"] == 0, found["level"] == 0
    kinds = {
        "new": rise & (found["date"] == first),
        "reactivation": rise & from_zero & (found["date"] != first),
        "expansion": rise & ~from_zero,
        "churn": to_zero,
        "contraction": ~rise & ~to_zero,
    }
    moved = pd.DataFrame({name: step.where(which, 0) for name, which in kinds.items()})
    moved["account_id"], moved["month"] = found["account_id"], periods.month_index(found["date"])
    moved["net"] = found["step"]
    moved = moved.groupby(["account_id", "month"], as_index=False).sum()
    accounts = pd.Index(found["account_id"].unique())
    column = (moved["month"] - (months[0].year * 12 + months[0].month - 1)).to_numpy()
    row = accounts.get_indexer(moved["account_id"])
    net = np.zeros((len(accounts), len(months) + 1), dtype="int64")
    known = column < len(months)
    np.add.at(net, (row[known], np.maximum(column[known], -1) + 1), moved["net"].to_numpy()[known])
    position = net.cumsum(axis=1)
    panel = pd.DataFrame(
        {
            "account_id": np.repeat(accounts, len(months)),
            "month": np.tile(months, len(accounts)),
            "opening": position[:, :-1].ravel(),
        }
    )
    inside = known & (column >= 0)
    flat = row[inside] * len(months) + column[inside]
    for name in MOVEMENTS:
        values = np.zeros(len(panel), dtype="int64")
        values[flat] = moved[name].to_numpy()[inside]
        panel[name] = values
    panel["closing"] = position[:, 1:].ravel()
    shown = panel if dense else panel[panel[["opening", "new", "reactivation"]].any(axis=1)]
    return shown.reset_index(drop=True)


def mrr_by_day(subscriptions, last):
    """Cents paid on every day from the first subscription to ``last``, by account, counted day by day."""
    prices = {}
    days = pd.date_range(subscriptions["start_date"].min(), last)
    for row in subscriptions.itertuples():
        by_day = prices.setdefault(row.account_id, dict.fromkeys(days, 0))
        for day in days:
            if row.start_date <= day and (pd.isna(row.end_date) or day < row.end_date):
                by_day[day] += round(row.mrr * 100)
    return prices


def account_month_day_by_day(subscriptions, start, end):
    """The dense panel, walked one day after the other."""
    rows = []
    for account, by_day in mrr_by_day(subscriptions, max(end, subscriptions["start_date"].max())).items():
        ever, yesterday, months = False, 0, {}
        for day, today in by_day.items():
            month = months.setdefault(day.replace(day=1), dict.fromkeys(["opening", *MOVEMENTS, "closing"], 0))
            if day.day == 1:
                month["opening"] = yesterday
            change = today - yesterday
            if change > 0:
                month["expansion" if yesterday else "reactivation" if ever else "new"] += change
            elif change < 0:
                month["contraction" if today else "churn"] -= change
            ever, yesterday = ever or today > 0, today
            month["closing"] = today
        if ever:
            for month in periods.month_starts(start, end):
                rows.append((account, month, *months.get(month, dict.fromkeys(range(7), 0)).values()))
    panel = pd.DataFrame(rows, columns=["account_id", "month", "opening", *MOVEMENTS, "closing"])
    return panel.sort_values(["account_id", "month"], ignore_index=True)


def movements(subscriptions, start, end, dense=False):
    panel = account_month(subscriptions, start, end, dense)
    sums = panel.groupby("month")[["opening", *MOVEMENTS, "closing"]].sum()
    for side in ("opening", "closing"):
        sums[f"{side}_accounts"] = (panel[side] > 0).groupby(panel["month"]).sum()
    return sums.reset_index()


def retention(subscriptions, start, end):
    panel = account_month(subscriptions, start, end, dense=True)
    first = panel[panel["month"] == start].set_index("account_id")["opening"]
    last = panel[panel["month"] == end - pd.DateOffset(months=1)].set_index("account_id")["closing"]
    both = pd.DataFrame({"opening": first[first > 0]}).join(last)
    both["retained"] = both.min(axis=1)
    return both.reset_index()


def cohorts(subscriptions, observed_from, as_of, by="quarter"):
    """Account by account and anniversary by anniversary, with pandas' own month arithmetic."""
    step = 1 if by == "month" else 3
    paid = paid_periods(subscriptions)
    first = paid.groupby("account_id")["start_date"].min()
    rows = []
    if (first < observed_from).any():
        early = paid.merge(first[first < observed_from].reset_index(), on=["account_id", "start_date"])
        rows.append((pd.NaT, None, step, len(early), None, early["mrr_cents"].sum(), None))
    first = first[(first >= observed_from) & (first < as_of)]
    begin = first.dt.to_period("Q" if by == "quarter" else "M").dt.start_time
    seen_months = (as_of.year - observed_from.year) * 12 + as_of.month - observed_from.month
    for cohort, starts in first.groupby(begin):
        last_start = cohort + pd.DateOffset(months=step) - DAY
        for age in range(0, seen_months + 1, step):
            if last_start + pd.DateOffset(months=age) >= as_of:
                break
            starting = mrr = alive = 0
            for account, day in starts.items():
                own = paid[paid["account_id"] == account]
                at = day + pd.DateOffset(months=age)
                there = own[(own["start_date"] <= at) & (own["end_date"].isna() | (at < own["end_date"]))]
                starting += own.loc[own["start_date"] == day, "mrr_cents"].sum()
                alive, mrr = alive + len(there), mrr + there["mrr_cents"].sum()
            rows.append((cohort, age, step, len(starts), alive, starting, mrr))
    columns = ["cohort", "age_months", "cohort_months", "accounts", "alive", "starting", "mrr"]
    return pd.DataFrame(rows, columns=columns).sort_values(["cohort", "age_months"], ignore_index=True)


def spells(subscriptions, observed_from, as_of):
    paid = paid_periods(subscriptions)
    paid = paid[paid["start_date"] < as_of]
    starts = paid["start_date"] != paid.groupby("account_id")["end_date"].shift()
    paid["spell"] = starts.cumsum()
    seen = paid["end_date"].isna() | (paid["end_date"] > observed_from)
    on_entry = paid[seen].groupby("spell")["mrr_cents"].first()
    grouped = paid.groupby("spell")
    result = pd.DataFrame(
        {
            "account_id": grouped["account_id"].first(),
            "start_date": grouped["start_date"].first(),
            "end_date": grouped["end_date"].last(skipna=False),
        }
    ).assign(mrr_cents=on_entry)
    result["churned"] = result["end_date"] < as_of
    stop = result["end_date"].where(result["churned"], as_of - DAY)
    result["duration_months"] = periods.months_between(result["start_date"], stop)
    entry = result["start_date"].where(result["start_date"] > observed_from, observed_from)
    result["entry_months"] = periods.months_between(result["start_date"], entry)
    result = result[result["duration_months"] > result["entry_months"]]
    columns = ["account_id", "start_date", "duration_months", "churned", "entry_months", "mrr_cents"]
    return result[columns].reset_index(drop=True)


def survival_counts(subscriptions, accounts, observed_from, as_of, by=""):
    found = spells(subscriptions, observed_from, as_of)
    groups = accounts.set_index("account_id")[by] if by else pd.Series("", accounts["account_id"])
    found["attribute"] = found["account_id"].map(groups)
    found["mrr_squares"] = found["mrr_cents"].astype(float) ** 2
    keys = ["attribute", "duration_months", "entry_months", "churned"]
    grouped = found.groupby(keys, dropna=False)
    counts = grouped.agg(spells=("mrr_cents", "size"), mrr=("mrr_cents", "sum"), mrr_squares=("mrr_squares", "sum"))
    return counts.reset_index().sort_values(keys, ignore_index=True)


def usage_features(usage, accounts, first, last, observed_from=None, dense=False):
    """Window by window: slice the events, count."""
    day = usage["occurred_at"].dt.normalize()
    seen_from = observed_from or day.min()
    rows = []
    for month in periods.month_starts(first, last + DAY):
        before = month - pd.DateOffset(months=1)
        named = accounts["account_id"] if dense else usage["account_id"].unique()
        for account in named:
            own = usage["account_id"] == account
            row = {"account_id": account, "month": month}
            in_90 = usage[own & (day >= month - 90 * DAY) & (day < month)]
            if in_90.empty and not dense:
                continue
            for length in (28, 90):
                inside = usage[own & (day >= month - length * DAY) & (day < month)]
                seen, none = month - length * DAY >= seen_from, inside.empty
                users = None if inside["user_id"].isna().all() and not none else inside["user_id"].nunique()
                row |= {
                    f"events_{length}": len(inside) if seen else None,
                    f"active_days_{length}": inside["occurred_at"].dt.normalize().nunique() if seen else None,
                    f"quantity_{length}": (0 if none else inside["quantity"].sum(min_count=1)) if seen else None,
                    f"minutes_{length}": (0 if none else inside["minutes"].sum(min_count=1)) if seen else None,
                    f"users_{length}": users if seen else None,
                }
            inside = usage[own & (day >= before) & (day < month)]
            known = before >= seen_from and (inside.empty or inside["user_id"].notna().any())
            by_day = inside.groupby(inside["occurred_at"].dt.normalize())["user_id"].nunique()
            daily = by_day.reindex(pd.date_range(before, month - DAY), fill_value=0)
            mau, dau = inside["user_id"].nunique(), daily.mean()
            row |= {"mau": mau, "dau": dau, "stickiness": dau / mau if mau else None} if known else {}
            rows.append(row)
    lengths = [f"{name}_{n}" for n in (28, 90) for name in ("events", "active_days", "quantity", "minutes", "users")]
    columns = ["account_id", "month", *lengths, "mau", "dau", "stickiness"]
    return pd.DataFrame(rows, columns=columns).sort_values(["account_id", "month"], ignore_index=True)


def rep_month(tickets, target_seconds=20):
    """Group by group, with pandas' quantiles (linear interpolation) and sums."""
    t = tickets.assign(
        opened=tickets["opened_at"].dt.floor("s"),
        responded=tickets["first_response_at"].dt.floor("s"),
        resolved=tickets["resolved_at"].dt.floor("s"),
    )
    rows = {}

    def put(rep, month, **values):
        rows.setdefault((None if pd.isna(rep) else rep, month), {}).update(values)

    def groups(column):
        known = t[t[column].notna()]
        month = known[column].dt.to_period("M").dt.start_time
        return known.groupby([known["rep_id"], month], dropna=False)

    for (rep, month), g in groups("opened"):
        yes, no = g["answered"].eq(True), g["answered"].eq(False)
        put(
            rep, month, opened=len(g), answered=yes.sum(), abandoned=no.sum(),
            answered_in_target=(yes & (g["wait_seconds"] <= target_seconds)).sum(),
            abandoned_after_target=(no & (g["wait_seconds"] > target_seconds)).sum(),
            waits=g.loc[yes, "wait_seconds"].count(), wait_seconds=g.loc[yes, "wait_seconds"].sum(),
            asa_seconds=g.loc[yes, "wait_seconds"].mean(),
        )  # fmt: skip
    for (rep, month), g in groups("responded"):
        minutes = (g["responded"] - g["opened"]) / pd.Timedelta(minutes=1)
        put(
            rep, month, first_responses=len(g), first_response_median_minutes=minutes.median(),
            first_response_p90_minutes=minutes.quantile(0.9),
        )  # fmt: skip
    for (rep, month), g in groups("resolved"):
        minutes = (g["resolved"] - g["opened"]) / pd.Timedelta(minutes=1)
        put(
            rep, month, resolved=len(g), days_with_closures=g["resolved"].dt.normalize().nunique(),
            resolution_median_minutes=minutes.median(), resolution_p90_minutes=minutes.quantile(0.9),
            handled=g["handle_minutes"].count(), handle_minutes=g["handle_minutes"].sum(),
            csat_answers=g["csat"].count(), csat_top2=(g["csat"] >= 4).sum(),
            ces_answers=g["ces"].count(), ces_top3=(g["ces"] >= 5).sum(), ces_sum=g["ces"].sum(),
            reopened_known=g["reopened"].count(), reopened=g["reopened"].eq(True).sum(),
            escalated_known=g["escalated"].count(), escalated=g["escalated"].eq(True).sum(),
        )  # fmt: skip
    result = pd.DataFrame([{"rep_id": rep, "month": month, **values} for (rep, month), values in rows.items()])
    result = result.reindex(columns=["rep_id", "month", *REP_COUNTS, *REP_AVERAGES])
    result[REP_COUNTS] = result[REP_COUNTS].astype(float).fillna(0)
    return result.sort_values(["rep_id", "month"], ignore_index=True)


def repeat_contacts(tickets, as_of, days=7):
    """Ticket by ticket: is there another one?"""
    rows = []
    t = tickets.sort_values(["opened_at", "ticket_id"], ignore_index=True)
    second = pd.Timedelta(seconds=1)
    for one in t[t["resolved_at"].notna()].itertuples():
        until = one.resolved_at.floor("s") + days * DAY
        judged = pd.notna(one.account_id) and until < as_of
        same = t[(t["account_id"] == one.account_id) & (t["category"].fillna("") == (one.category or ""))]
        if pd.isna(one.category):
            same = t[(t["account_id"] == one.account_id) & t["category"].isna()]
        opened, own = same["opened_at"].dt.floor("s"), one.opened_at.floor("s")
        later = (opened >= own + second) | ((opened == own) & (same["ticket_id"] > one.ticket_id))
        followed = bool((later & (opened <= until)).any())
        once = pd.isna(one.contacts) or one.contacts <= 1
        rows.append(
            {
                "rep_id": one.rep_id,
                "month": one.resolved_at.normalize().replace(day=1),
                "resolved": 1,
                "without_account": int(pd.isna(one.account_id)),
                "judged": int(judged),
                "followed": int(judged and followed),
                "contacts_known": int(judged and pd.notna(one.contacts)),
                "first_contact": int(judged and not followed and once),
            }
        )
    keys = ["rep_id", "month"]
    names = ["resolved", "without_account", "judged", "followed", "contacts_known", "first_contact"]
    if not rows:
        return pd.DataFrame(columns=[*keys, *names])
    return pd.DataFrame(rows).groupby(keys, dropna=False).sum().reset_index().sort_values(keys, ignore_index=True)


def ticket_cases(tickets, subscriptions, start, as_of, days=7):
    """Ticket by ticket, what was paid looked up day by day, another ticket looked for as in ``repeat_contacts``."""
    minute = pd.Timedelta(minutes=1)
    paid = mrr_by_day(subscriptions, as_of) if len(subscriptions) else {}
    names = ("wait_seconds", "answered", "contacts", "reopened", "escalated", "handle_minutes", "csat", "ces")
    known_when_resolved = names[2:]
    t = tickets.assign(second=tickets["opened_at"].dt.floor("s"))
    t = t.sort_values(["second", "ticket_id"], ignore_index=True)
    rows = []
    for one in t.itertuples():
        resolved = one.resolved_at.floor("s") if pd.notna(one.resolved_at) and one.resolved_at < as_of else None
        if not (start <= one.opened_at < as_of or (resolved is not None and resolved >= start)):
            continue
        opened_day = one.opened_at.normalize()
        by_day = {} if pd.isna(one.account_id) else paid.get(one.account_id, {})
        before = [day for day, cents_ in by_day.items() if cents_ and day <= opened_day]
        answer = one.first_response_at
        row = {
            "case_number": len(rows) + 1, "rep_id": one.rep_id, "account_id": one.account_id,
            "opened_month": opened_day.replace(day=1), "opened_hour": one.opened_at.hour,
            "resolved_month": None if resolved is None else resolved.normalize().replace(day=1),
            "resolved_day": None if resolved is None else resolved.normalize(),
            "opened_weekday": one.opened_at.weekday(), "channel": one.channel, "priority": one.priority,
            "category": one.category, "mrr_cents": by_day.get(opened_day) or None,
            "tenure_days": (opened_day - min(before)).days if before else None,
            "first_response_minutes": (answer.floor("s") - one.second) / minute if answer < as_of else None,
            "resolution_minutes": None if resolved is None else (resolved - one.second) / minute,
        }  # fmt: skip
        for name in names:
            too_late = name in known_when_resolved and pd.notna(one.resolved_at) and resolved is None
            row[name] = None if too_late else getattr(one, name)
        until = None if resolved is None else resolved + days * DAY
        row["judged"] = until is not None and pd.notna(one.account_id) and until < as_of
        row["followed"] = None
        if row["judged"]:
            same = t["category"].isna() if pd.isna(one.category) else t["category"] == one.category
            same &= t["account_id"] == one.account_id
            after = (t["second"] > one.second) | ((t["second"] == one.second) & (t["ticket_id"] > one.ticket_id))
            row["followed"] = bool((same & after & (t["second"] <= until)).any())
        rows.append(row)
    return pd.DataFrame(rows)


def vanish_panel(tables, start, as_of, role="csm"):
    """Month by month and account by account, from days alone."""
    subscriptions = tables["subscriptions"]
    paid = mrr_by_day(subscriptions, as_of + 400 * DAY)
    spans = {
        name: (tables[name][column].min(), tables[name][column].max())
        for name, column in (("touches", "occurred_at"), ("usage", "occurred_at"), ("tickets", "opened_at"))
    }
    left_on = tables["reps"].set_index("rep_id")["left_on"]
    assignments = tables["assignments"]
    rows = []
    months = periods.month_starts(start, as_of)
    for number, month in enumerate(months):
        following = month + pd.DateOffset(months=1)
        if following >= as_of:
            break
        for account, by_day in paid.items():
            if not by_day.get(month, 0):
                continue
            begun = month
            while by_day.get(begun - DAY, 0):
                begun -= DAY
            gone = next((d for d in pd.date_range(month, following) if not by_day[d]), None)
            row = {
                "account_id": account, "month": month, "month_index": number, "mrr_cents": by_day[month],
                "tenure_months": max(n for n in range(999) if begun + pd.DateOffset(months=n) <= month),
                "churned": gone is not None,
            }  # fmt: skip
            own = assignments[
                (assignments["account_id"] == account)
                & (assignments["start_date"] <= month)
                & (assignments["end_date"].isna() | (assignments["end_date"] > month))
            ]
            if role:
                own = own[own["role"].isna() | (own["role"].str.lower() == role)]
            own = own[np.array([not (left_on.get(rep, pd.NaT) < month) for rep in own["rep_id"]], dtype=bool)]
            own = own.sort_values(["start_date", "rep_id"], ascending=[False, True])
            row["covered"] = len(own) > 0 if len(assignments) else None
            row["csm"] = own["rep_id"].iloc[0] if len(own) else None
            until = gone or following
            for name, column in (("touches", "occurred_at"), ("usage", "occurred_at"), ("tickets", "opened_at")):
                table = tables[name]
                inside = table[
                    (table["account_id"] == account)
                    & (table[column] >= month)
                    & (table[column] < min(until, following))
                ]
                low, high = spans[name]
                known = pd.notna(low) and low < following and high >= month
                row["events" if name == "usage" else name] = len(inside) if known else None
                for source, target in (("hours", "touch_hours"), ("quantity", "quantity")):
                    if source in table:
                        total = inside[source].sum(min_count=1) if len(inside) else 0
                        row[target] = total if known else None
            rows.append(row)
    columns = ["account_id", "month", "month_index", "mrr_cents", "tenure_months", "covered", "csm", "touches",
               "touch_hours", "events", "quantity", "tickets", "churned"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).sort_values(["account_id", "month"], ignore_index=True)


def account_signals(tickets, surveys, touches, start, end):
    """Fact by fact: each lands in the month in which it became known, then the facts are added up."""
    names = ["tickets", "escalated", "csat_sum", "csat_answers", "nps_sum", "nps_answers", "touches", "qbrs"]
    found = {}

    def put(account, moment, **facts):
        if pd.isna(account) or pd.isna(moment) or not start <= moment < end:
            return
        key = account, moment.normalize().replace(day=1)
        row = found.setdefault(key, {**dict.fromkeys(names, 0), "hours": []})
        for name, value in facts.items():
            row[name] += value

    for ticket in tickets.itertuples():
        put(ticket.account_id, ticket.opened_at, tickets=1)
        answered = pd.notna(ticket.csat)
        put(
            ticket.account_id, ticket.resolved_at, escalated=int(pd.notna(ticket.escalated) and ticket.escalated),
            csat_sum=ticket.csat if answered else 0, csat_answers=int(answered),
        )  # fmt: skip
    for survey in surveys[surveys["kind"] == "nps"].itertuples():
        if pd.notna(survey.score):
            put(survey.account_id, survey.answered_at, nps_sum=survey.score, nps_answers=1)
    for touch in touches.itertuples():
        put(
            touch.account_id, touch.occurred_at, touches=1, qbrs=int(touch.kind == "qbr"),
            hours=[touch.hours] if pd.notna(touch.hours) else [],
        )  # fmt: skip
    rows = [
        {"account_id": account, "month": month, **row, "touch_hours": sum(row["hours"]) if row["hours"] else None}
        for (account, month), row in found.items()
    ]
    result = pd.DataFrame(rows, columns=["account_id", "month", *names, "touch_hours"])
    result["touch_hours"] = result["touch_hours"].astype(float).where(result["touches"] > 0, 0.0)
    return result.sort_values(["account_id", "month"], ignore_index=True)
