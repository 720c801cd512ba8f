"""Writes the made-up exports of docs/tutorial.md: `python docs/tutorial_exports.py exports`.

Three files as a CRM, a billing system and a survey tool write them: own headers, semicolons, decimal commas, a Windows
encoding, and days that only somebody who knows can read, since 05/04/2024 is a day in April or in May.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from cs_helpers.data.sample import company

Row = dict[str, str]


def short_day(iso: str) -> str:
    """Day, month, year; days are moved to the first third of their month, as if bills went out then."""
    if not iso:
        return ""
    year, month, day = iso.split("-")
    return f"{int(day) // 3 + 1:02}/{month}/{year}"


def write(path: Path, rows: Iterable[Row]) -> None:
    """One export."""
    kept = list(rows)
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(kept)
    sys.stdout.write(f"{path}: {len(kept)} rows\n")


def customer(row: Row) -> Row:
    """A line of the CRM's export."""
    return {
        "Customer ID": row["account_id"],
        "Company": row["name"],
        "Segment": row["segment"],
        "Industry": row["industry"],
        "Country": row["country"],
        "Cancellation reason": row["churn_reason"],
    }


def bill(row: Row) -> Row:
    """A line of the billing system's export."""
    return {
        "Subscription ID": row["subscription_id"],
        "Customer ID": row["account_id"],
        "Start": short_day(row["start_date"]),
        "End": short_day(row["end_date"]),
        "MRR (EUR)": row["mrr"].replace(".", ","),
        "Plan": row["plan"],
        "Term (months)": row["term_months"],
        "Trial": row["is_trial"],
    }


def answer(row: Row) -> Row:
    """A line of the survey tool's export."""
    return {
        "Sent": row["sent_at"][:10],
        "Customer ID": row["account_id"],
        "Score": row["score"],
        "Comment": row["comment"],
    }


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Name the folder to write to: python docs/tutorial_exports.py exports")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tables = company(accounts=240, months=30, seed=7)
    write(folder / "customers.csv", map(customer, tables["accounts"]))
    bills = [bill(row) for row in tables["subscriptions"]]
    write(folder / "billing_export.csv", [row for row in bills if row["Start"] != row["End"]])
    write(folder / "nps.csv", [answer(row) for row in tables["surveys"] if row["kind"] == "nps"])


if __name__ == "__main__":
    main()
