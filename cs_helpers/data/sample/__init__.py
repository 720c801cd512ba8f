"""The sample company: an export with the names of the contract whose true effects are known.

Everything is drawn from a keyed counter generator with + - * / and comparisons only, so that the files are
the same bytes on every machine and Python version. A draw belongs to its key (seed, account, month, purpose),
so a company with more accounts holds the smaller one unchanged. Floats are added in loops, never with ``sum``,
which compensates rounding from Python 3.12 on and not before.
"""

from __future__ import annotations

import csv
import io
from operator import itemgetter
from pathlib import Path

from cs_helpers.data.sample.accounts import account_row, draw_account, renewal_rows, subscription_rows
from cs_helpers.data.sample.activity import assignment_rows, touch_rows, usage_rows
from cs_helpers.data.sample.company_tables import goal_rows, people_rows, touchpoint_rows, work_plan_rows
from cs_helpers.data.sample.facts import truth, written
from cs_helpers.data.sample.parameters import COMPANY, END_DAY
from cs_helpers.data.sample.team import cost_rows, make_teams, rep_row
from cs_helpers.data.sample.tickets import support_effects, ticket_rows
from cs_helpers.data.sample.voice import account_survey_rows, agent_survey_rows
from cs_helpers.data.sample.world import Row, Tables, World, mapping_text, write_files

__all__ = ["COLUMNS", "COMPANY", "Row", "Tables", "company", "truth", "write"]

COLUMNS = {
    "accounts": "account_id name segment industry region country employees signup_date acquisition_channel "
    "gross_margin churn_reason",
    "subscriptions": "subscription_id account_id start_date end_date mrr plan seats currency term_months is_trial "
    "discount_rate notice_date",
    "renewals": "account_id due_date target_mrr renewed_mrr decided_date outcome forecast_category",
    "usage": "account_id occurred_at user_id feature quantity minutes",
    "tickets": "ticket_id account_id rep_id opened_at first_response_at resolved_at channel priority category "
    "wait_seconds answered contacts reopened escalated handle_minutes csat ces comment",
    "surveys": "kind sent_at answered_at account_id rep_id stage score comment reason competitor",
    "touches": "account_id rep_id occurred_at kind hours channel",
    "reps": "rep_id name role manager_id team segment hired_on left_on moved_to annual_cost working_hours_per_month",
    "assignments": "account_id rep_id start_date end_date role",
    "costs": "month item amount function",
    "work_plan": "segment activity times_per_year preparation_hours delivery_hours follow_up_hours value_note",
    "goals": "metric department target period_start period_end owner baseline",
    "touchpoints": "date touchpoint stage impressions clicks exits bounces sessions",
    "people_records": "kind rep_id candidate_id date drive coachability positivity empathy course hours process "
    "documented covered_in_onboarding",
}


ORDER = {
    "usage": ("occurred_at", "account_id", "user_id"),
    "tickets": ("opened_at", "ticket_id"),
    "surveys": ("sent_at", "account_id", "rep_id", "kind"),
    "touches": ("occurred_at", "account_id"),
    "renewals": ("due_date", "account_id"),
}


def write(directory: Path, accounts: int = 600, months: int = 36, seed: int = 1) -> list[Path]:
    """Write the sample company as CSV files with ``mapping.yml`` and ``truth.json``; return the paths.

    Files of the same names are replaced, others are left alone. The same arguments give the same bytes on
    every machine. Money is in EUR with two decimals, dates are YYYY-MM-DD, times end in Z, missing is empty.
    Raises ParameterError where the arguments make no company or ``directory`` is a file.
    """
    files = {f"{name}.csv": _csv(name, rows) for name, rows in company(accounts, months, seed).items()}
    files["mapping.yml"] = mapping_text(COMPANY, World(months=months).first_day, END_DAY)
    files["truth.json"] = written(truth(accounts, months, seed))
    return write_files(directory, files, "sample")


def company(accounts: int = 600, months: int = 36, seed: int = 1) -> Tables:
    """The tables of the sample company: contract name -> rows of text as the CSV files hold them.

    The window is ``months`` whole months up to and including June 2026. Accounts that left before it are not
    in the export (left truncation), and the price history before it is not either: the row that runs when the
    window opens has the account's true first day and the price of that time. Missing is "".
    Raises ParameterError.
    """
    world = World(accounts, months, seed)
    teams = make_teams(world)
    effects = support_effects(teams, world)
    tables: Tables = {name: [] for name in COLUMNS}
    for number in range(1, accounts + 1):
        account = draw_account(number, teams, world)
        team = teams[account.team]
        tables["accounts"].append(account_row(account, world))
        tables["subscriptions"] += subscription_rows(account)
        tables["renewals"] += renewal_rows(account, world)
        tables["usage"] += usage_rows(account, world)
        tables["tickets"] += ticket_rows(account, team, effects, world)
        tables["surveys"] += account_survey_rows(account, team, world)
        tables["touches"] += touch_rows(account, team, world)
        tables["assignments"] += assignment_rows(account, team, world)
    reps = [rep for team in teams for rep in team.reps() if rep.left is None or rep.left > world.start]
    tables["surveys"] += [row for rep in reps for row in agent_survey_rows(rep, world)]
    tables["reps"] = [rep_row(rep, world) for rep in reps]
    tables["costs"] = cost_rows(reps, len(teams), world)
    tables["work_plan"] = work_plan_rows()
    tables["goals"] = goal_rows(teams, world)
    tables["touchpoints"] = touchpoint_rows(world)
    tables["people_records"] = people_rows(reps, effects, world)
    for name, rows in tables.items():
        blank = dict.fromkeys(COLUMNS[name].split())
        tables[name] = [{column: _text(value) for column, value in (blank | row).items()} for row in rows]
        if name in ORDER:
            tables[name].sort(key=itemgetter(*ORDER[name]))
    return tables


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _csv(table: str, rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[table].split(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
