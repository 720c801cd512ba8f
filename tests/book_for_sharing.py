"""A small source in which every kind of name stands in every kind of column."""

from pathlib import Path

import pandas as pd

FIRST, LAST = ["Quorvex", "Brellan", "Tarnhof", "Vismund"], ["Freight", "Optics", "Seafood"]
ACCOUNTS = [f"{first} {last}" for first in FIRST for last in LAST]  # twelve
IDS = [f"ZK-{7 * number:04d}" for number in range(12)]
REPS = ["Jorunn Blaxland", "Otis Wendelin", "Mirela Csonka", "Tadeusz Ogilvy", "Hanne Quist", "Pia Ravndal"]
REP_IDS = [f"RW-{number:03d}" for number in range(6)]
MAILS = [f"{first.lower()}.{number}@kunde.example.org" for number, first in enumerate(FIRST * 3)]
PLANTED = [*ACCOUNTS, *IDS, *REPS, *REP_IDS, *MAILS]
COMMENT = "The price went up again."


def accounts() -> pd.DataFrame:
    """Twelve accounts; contract columns, and columns beyond the contract of every sort."""
    return pd.DataFrame(
        {
            "account_id": IDS,
            "name": ACCOUNTS,
            "segment": ["SMB"] * 6 + ["Mid"] * 5 + ["Lonely"],
            "industry": ["Trade"] * 5 + ["Law"] * 4 + ["Art"] * 3,
            "employees": [544, 7, 23, 1999, 80, 12, 35, 61, 90, 450, 310, 2500],
            "owner": [REPS[0]] * 6 + [REPS[1]] * 6,
            "book": [REPS[2]] * 6 + ["Book North"] * 6,
            "contact_email": MAILS,
            "domain": [f"{name.split()[0].lower()}.example.org" for name in ACCOUNTS],
            "remark": [f"met {name}" for name in ACCOUNTS],
            "slogan": ["to the sea"] * 5 + [f"slogan {number}" for number in range(7)],
            "tier": ["gold"] * 6 + ["www.gold.example"] * 6,
            "churn_reason": ["price"] * 6 + ["service"] * 2 + [""] * 4,
        }
    )


def write(folder: Path) -> str:
    """The source as CSV files with a mapping; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    start = pd.to_datetime([f"2024-{1 + n % 12:02d}-01" for n in range(12)])
    subscriptions = pd.DataFrame(
        {
            "subscription_id": [f"SQ-{n:04d}" for n in range(12)],
            "account_id": IDS,
            "start_date": start,
            "end_date": [pd.NaT] * 9 + [pd.Timestamp("2025-06-01")] * 3,
            "mrr": [100.0 + n for n in range(12)],
            "plan": ["Basic"] * 8 + ["Pro"] * 4,
        }
    )
    reps = pd.DataFrame({"rep_id": REP_IDS, "name": REPS, "role": "csm", "team": "North", "manager_id": REP_IDS[0]})
    surveys = pd.DataFrame(
        {
            "kind": "exit",
            "sent_at": "2025-06-02",
            "answered_at": "2025-06-03",
            "account_id": IDS,
            "rep_id": REP_IDS * 2,
            "comment": [COMMENT] * 11 + [f"{REPS[3]} never called."],
            "reason": ["price"] * 9 + ["service"] * 3,
            "competitor": [ACCOUNTS[0]] * 6 + ["Nimbus"] * 6,
        }
    )
    goals = pd.DataFrame(
        {
            "metric": "grr", "department": "Success", "target": 0.9, "period_start": "2025-01-01",
            "period_end": "2026-01-01", "owner": [REP_IDS[1], "North", "South", "Rolf Egede", ""],
        }
    )  # fmt: skip
    usage = pd.DataFrame(
        {
            "account_id": IDS,
            "occurred_at": "2025-03-03",
            "user_id": [f"UX-{n:04d}" for n in range(12)],
            "feature": "api",
        }
    )
    tables = {"accounts": accounts(), "subscriptions": subscriptions, "reps": reps, "surveys": surveys}
    for name, table in {**tables, "goals": goals, "usage": usage}.items():
        table.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    (folder / "mapping.yml").write_text(
        "version: 1\ncompany: Test\ncurrency: EUR\ndate_format: YYYY-MM-DD\nobserved_from: 2024-01-01\n"
        "data_through: 2025-12-31\n"
    )
    return str(folder)
