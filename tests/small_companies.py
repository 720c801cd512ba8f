"""Companies of a few accounts as files, of which reports can say little."""

import numpy as np
import pandas as pd

FIRST, END = pd.Timestamp("2023-01-01"), pd.Timestamp("2026-01-01")


def book(n=80, months=36, churn="some", seed=1):
    """Accounts on monthly and yearly terms, starting before and inside the data, of which some, none or all leave."""
    rng = np.random.default_rng(seed)
    first = END - pd.DateOffset(months=months)
    start = first + pd.to_timedelta(rng.integers(-500, months * 30 - 20, n), unit="D")
    life = pd.to_timedelta(rng.integers(40, 1500, n), unit="D")
    end = pd.Series(start + life)
    if churn == "none":
        end[:] = pd.NaT
    if churn == "all":
        end = end.where(end < END, END - pd.to_timedelta(rng.integers(2, 30, n), unit="D"))
    end = end.where(end < END)
    keep = end.isna() | (end > first)
    subscriptions = pd.DataFrame(
        {
            "account_id": [f"A{k:03d}" for k in range(n)],
            "start_date": start.normalize(), "end_date": end.dt.normalize(),
            "mrr": np.exp(rng.normal(6, 0.7, n)).round(2), "term_months": rng.choice([1, 12], n),
        }
    )[keep.to_numpy()]  # fmt: skip
    accounts = pd.DataFrame(
        {
            "account_id": subscriptions["account_id"], "name": subscriptions["account_id"],
            "segment": rng.choice(["SMB", "Enterprise"], len(subscriptions)), "churn_reason": "", "gross_margin": 0.8,
        }
    )  # fmt: skip
    return accounts, subscriptions


def write(folder, accounts, subscriptions, months=36, **more):
    first = END - pd.DateOffset(months=months)
    folder.mkdir(exist_ok=True)
    for name, table in {"accounts": accounts, "subscriptions": subscriptions, **more}.items():
        table.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    (folder / "mapping.yml").write_text(
        f"version: 1\ncompany: Test\ncurrency: EUR\ndate_format: YYYY-MM-DD\nobserved_from: {first:%Y-%m-%d}\n"
        f"data_through: {END - pd.Timedelta(days=1):%Y-%m-%d}\n"
    )
    return str(folder)
