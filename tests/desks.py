"""A simulated support desk as the roll-up ``ticket_cases`` would give it, clean or with planted behaviour.

Accounts have lasting effects, specialists get the hard accounts, and honest reps differ naturally in everything that a
screen looks at: nothing here is alike by construction.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from cs_helpers.reps.outliers import outlier_profiles
from cs_helpers.reps.results import Cases, Persistence

START, END = pd.Timestamp("2025-07-01"), pd.Timestamp("2026-07-01")
NOBODY = pd.DataFrame()
CHANNELS = np.array(["email", "web", "chat", "phone"])
PRIORITIES = np.array(["urgent", "high", "normal", "low"])
CATEGORIES = np.array(["how-to", "bug", "integration", "access", "billing"])
HANDLE = np.array([11, 26, 32, 8, 12])
SEGMENT_WORK, PAID = np.array([1, 1.12, 1.45]), np.array([300, 1500, 8000])
FIRST, SOLVED = np.array([25, 70, 220, 520]), np.array([260, 620, 1500, 2900])
MONTHS = pd.date_range(START, periods=12, freq="MS").to_numpy("datetime64[D]")


def names(reps, first=0):
    return [f"R-{number:02d}" for number in range(first, reps)]


def desk(seed, reps=40, low=300, high=900, odd=0, **planted):
    """Tickets of ``reps``, each with ``low`` to ``high``; the last ``odd`` of them do what is ``planted``.

    first: share of the tickets with more contacts that they record as one (60 % of those come back);
    pile: share of the times of 10 to 14 minutes that they write down as 9 to 10; short: share that they end at once;
    month: share that they close on one of the last two working days; asked: share of those rating 1 to 3, and half of
    it of those rating 4, whom they do not ask; easy: share of bugs and integrations that they leave to others;
    slow: factor on the time to the first response; calm: share of escalations that they do not make.
    """
    draw = np.random.default_rng(seed)

    def natural(spread, size=reps):
        return spread * draw.normal(size=size)

    each = draw.integers(low, high + 1, reps)
    n, rep = each.sum(), np.repeat(np.arange(reps), each)
    segment_of = draw.choice(3, 900, p=[0.52, 0.34, 0.14])
    size = np.array([0.28, 0.65, 1.55])[segment_of] * np.exp(natural(0.5, 900))
    special = rep < reps // 5
    account = np.empty(n, int)
    for who, part in ((special, [0.15, 0.30, 0.75]), (~special, [0.85, 0.70, 0.25])):
        odds = size * np.array(part)[segment_of]
        account[who] = draw.choice(900, who.sum(), p=odds / odds.sum())
    segment = segment_of[account]
    channel = draw.choice(4, n, p=[0.42, 0.24, 0.22, 0.12])
    priority = draw.choice(4, n, p=[0.06, 0.18, 0.56, 0.20])
    category = draw.choice(5, n, p=[0.34, 0.22, 0.16, 0.14, 0.14])
    paid = (PAID[segment_of] * np.exp(natural(0.5, 900)) * 100).astype("int64")[account]
    month = draw.integers(0, 12, n)
    day, late = _days(draw, month, 0.02 * np.exp(natural(0.3, (reps, 12))[rep, month] + natural(0.1)[rep]))
    works = 1 + natural(0.15)[rep], 1 + natural(0.12, 900)[account]
    noise = 0.4 * (0.4 + draw.gamma(1.2, 1, n) / 0.8)
    minutes = np.maximum(HANDLE[category] * SEGMENT_WORK[segment] * works[0] * works[1] * noise, 0.5)
    minutes[draw.random(n) < 0.004 * np.exp(natural(0.5)[rep])] = 0.1
    reopened = draw.random(n) < 0.06
    contacts = 1 + (draw.random(n) < expit(-1.0 + natural(0.15)[rep])).astype(int) + reopened
    back = -2.2 + natural(0.12)[rep] + natural(0.5, 900)[account] + 0.3 * (category == 1)
    followed = draw.random(n) < expit(back)
    liked = 4.35 + natural(0.16)[rep] + natural(0.22, 900)[account] - 0.7 * reopened + 1.3 * draw.normal(size=n)
    score = np.clip((liked + 0.5).astype(int), 1, 5)
    answers = np.where(score <= 2, 0.4, np.where(score == 5, 0.3, 0.2)) * np.exp(natural(0.05)[rep])
    answered = draw.random(n) < answers
    first = np.where(channel >= 2, 0.5, FIRST[priority]) * (0.25 + draw.gamma(1.2, 1, n) / 1.2)
    first *= np.exp(natural(0.12)[rep])
    escalated = draw.random(n) < expit(-2.2 + natural(0.15)[rep] + (priority == 0))
    kept, chance, theirs = np.ones(n, bool), draw.random(n), rep >= reps - odd

    def hit(what, on=True, part=1.0):
        return theirs & on & (chance < part * planted.get(what, 0))

    hidden = hit("first", contacts > 1)
    contacts[hidden] = 1
    followed[hidden] |= draw.random(hidden.sum()) < 0.6
    moved = hit("pile", (minutes >= 10) & (minutes < 14))
    minutes[moved] = 9 + draw.random(moved.sum())
    minutes[hit("short")] = 0.1
    day = np.where(hit("month"), late, day)
    answered &= ~(hit("asked", score <= 3) | hit("asked", score == 4, 0.5))
    kept &= ~hit("easy", (category == 1) | (category == 2))
    first[theirs] *= planted.get("slow", 1)
    escalated &= ~hit("calm")
    solved = first + SOLVED[priority] * 0.12 * (0.3 + draw.gamma(1.5, 1, n)) * np.exp(natural(0.12)[rep])
    ids, accounts = np.array(names(reps)), np.array([f"A-{number:03d}" for number in range(900)])
    return pd.DataFrame(
        {
            "rep_id": pd.Series(ids[rep], dtype="str"),
            "account_id": pd.Series(accounts[account], dtype="str"),
            "opened_month": pd.Series(MONTHS[month]).astype("datetime64[us]"),
            "resolved_month": pd.Series(MONTHS[month]).astype("datetime64[us]"),
            "resolved_day": pd.Series(day).astype("datetime64[us]"),
            "opened_hour": 7 + (draw.random(n) * 12).astype(int),
            "opened_weekday": draw.integers(0, 5, n),
            "channel": CHANNELS[channel],
            "priority": PRIORITIES[priority],
            "category": CATEGORIES[category],
            "mrr_cents": paid,
            "contacts": pd.Series(contacts, dtype="Int64"),
            "reopened": pd.Series(reopened, dtype="boolean"),
            "followed": pd.Series(followed, dtype="boolean"),
            "escalated": pd.Series(escalated, dtype="boolean"),
            "handle_minutes": minutes,
            "csat": np.where(answered, score, np.nan),
            "first_response_minutes": first,
            "resolution_minutes": solved,
        }
    )[kept]


def _days(draw, month, pulled):
    """Days of resolution, mostly working days, some put off to the month's end; and a late day for each ticket."""
    n, start = len(month), MONTHS[month]
    following = (start.astype("datetime64[M]") + 1).astype("datetime64[D]")
    day = start + (draw.random(n) * (following - start).astype(int)).astype(int)
    last = np.busday_offset(following, -1, roll="forward")
    work = np.minimum(np.busday_offset(day, 0, roll="forward"), last)
    day = np.where(np.is_busday(day) | (draw.random(n) < 0.05), day, work)
    late = np.where(draw.random(n) < 0.5, last, np.busday_offset(following, -2, roll="forward"))
    return np.where(draw.random(n) < pulled, late, day), late


def book_and_touches(seed=0, csms=10, accounts=40, odd_rate=1.0, odd_channel=0.5, spread=0.1):
    """Ten CSMs with forty accounts each for a year; a touch with probability .4 a month, half by video."""
    draw = np.random.default_rng(seed)
    rep, account, month = (each.ravel() for each in np.meshgrid(range(csms), range(accounts), range(12), indexing="ij"))
    ids, starts = np.array(names(csms)), pd.date_range(START, periods=12, freq="MS").to_numpy()
    own = np.char.add(np.char.add(ids[rep], "-"), account.astype(str))
    table = pd.DataFrame(
        {"rep_id": ids[rep], "cluster": own, "month": starts[month], "segment": np.where(account < 20, "SMB", "Ent")}
    )
    usual = np.exp(spread * draw.normal(size=csms))
    rate = 0.4 * np.where(rep == csms - 1, odd_rate, usual[rep])
    touched = table[draw.random(len(table)) < rate]
    odd = (touched["rep_id"] == ids[-1]).to_numpy()
    video = draw.random(len(touched)) < np.where(odd, odd_channel, 0.5)
    touches = pd.DataFrame(
        {
            "account_id": touched["cluster"],
            "rep_id": touched["rep_id"],
            "occurred_at": touched["month"] + pd.Timedelta(days=9),
            "kind": np.where(draw.random(len(touched)) < 0.7, "check_in", "qbr"),
            "channel": np.where(video, "video", "email"),
            "hours": 0.5 + draw.gamma(2, 0.5, len(touched)),
        }
    )
    return Cases(table, (), ("segment",)), touches.reset_index(drop=True)


def persistent(*sides, key="csat", refused=""):
    """Outliers of one measure: pairs of rep and side."""
    pairs = pd.DataFrame(sides, columns=["unit", "side"])
    return Persistence(key, "before", "now", 0.8, 0.6, 0.4, 0.8, pairs.assign(label=pairs["unit"]), refused)


def profile(tickets, unit, side="better", key="csat", people=NOBODY, **touches):
    """The profile of one outlier of one measure, or why there is none."""
    (found,) = outlier_profiles([persistent((unit, side), key=key)], tickets, people, START, END, **touches)
    return found
