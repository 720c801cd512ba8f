"""The fourteen tables: grain, key, columns with type, unit and meaning, and when each value became known.

Only ``accounts`` and ``subscriptions`` are required. Parsing, checks and documents are made from these entries.
"""

from __future__ import annotations

from cs_helpers.data.contract.columns import Column, Table, after_outcome, amount, count, key, measure, needed

ACCOUNTS = Table(
    name="accounts",
    grain="one row per customer company",
    key=("account_id",),
    required=True,
    keeps_attributes=True,
    fills="who the customers are; every report",
    columns=(
        key("account_id", "the company's key, as text: leading zeros count"),
        Column("name", "text", "the company's name"),
        Column("segment", "text", "size class or service tier, e.g. SMB"),
        Column("industry", "text", "the company's line of business"),
        Column("region", "text", "sales region"),
        Column("country", "text", "country, as the export writes it"),
        count("employees", "people employed", "people"),
        Column("signup_date", "date", "the day the account was opened"),
        Column("acquisition_channel", "text", "how the account was won"),
        measure("gross_margin", "share of revenue left after the cost of serving", "fraction", low=None),
    ),
)

SUBSCRIPTIONS = Table(
    name="subscriptions",
    grain="one row per account and price period, [start_date, end_date)",
    key=("subscription_id",),
    required=True,
    periods=(("start_date", "end_date"),),
    known_from=("start_date",),
    references={"account_id": "accounts"},
    fills="who paid what and when; every report",
    columns=(
        Column("subscription_id", "text", "the period's key, if there is one", nullable=False, missing="an error"),
        key("account_id", "the paying account"),
        needed("start_date", "date", "the first day paid for"),
        after_outcome(
            "end_date", "date", "the first day no longer paid for", "still running", "end_date", required=True
        ),
        needed("mrr", "money", "monthly recurring revenue of this period", "currency per month", minimum=0),
        Column("plan", "text", "plan or product"),
        count("seats", "seats sold", "seats"),
        Column("currency", "text", "currency of mrr; one per source", missing="the source's currency"),
        measure("term_months", "length of the contract term", "months"),
        Column("is_trial", "flag", "whether the period is a trial"),
        measure("discount_rate", "discount on the list price", "fraction", low=None),
        after_outcome("notice_date", "date", "the day notice was given", "no notice", "notice_date"),
    ),
)

RENEWALS = Table(
    name="renewals",
    grain="one row per renewal decision",
    known_from=("due_date",),
    references={"account_id": "accounts"},
    fills="renewal rates and the renewal outlook; absent, due dates come from term_months",
    columns=(
        key("account_id", "the account whose contract is due"),
        needed("due_date", "date", "the day the contract was due when it was signed"),
        needed("target_mrr", "money", "what was up for renewal", "currency per month", minimum=0),
        amount(
            "renewed_mrr", "what was renewed; 0 is lost", "still open", after_outcome=True, known_with="decided_date"
        ),
        after_outcome("decided_date", "date", "the day the decision fell", "still open", "decided_date"),
        after_outcome("outcome", "text", "renewed, lost, ...", "open", "decided_date"),
        after_outcome("forecast_category", "text", "what the owner expected, e.g. commit"),
    ),
)

USAGE = Table(
    name="usage",
    grain="one row per event, or per account and day",
    known_from=("occurred_at",),
    references={"account_id": "accounts", "subscription_id": "subscriptions"},
    stand_in={"account_id": "subscription_id"},
    fills="usage, health and what the vanish effect adjusts for",
    columns=(
        key("account_id", "the using account; found through subscription_id where the export lacks it"),
        needed("occurred_at", "time", "when it happened"),
        Column("user_id", "text", "who used it", missing="users are not told apart"),
        Column("feature", "text", "what was used"),
        measure("quantity", "how often or how much", "uses"),
        measure("minutes", "time spent", "minutes"),
        Column("subscription_id", "text", "the subscription used"),
    ),
)

TICKETS = Table(
    name="tickets",
    grain="one row per support contact",
    key=("ticket_id",),
    orders=(("opened_at", "resolved_at"), ("opened_at", "first_response_at")),
    known_from=("opened_at",),
    references={"account_id": "accounts", "rep_id": "reps"},
    fills="support metrics, rep benchmarks, repeat contacts",
    columns=(
        key("ticket_id", "the contact's key"),
        needed("opened_at", "time", "when it reached the desk"),
        Column("account_id", "text", "who asked", missing="not recorded"),
        Column("rep_id", "text", "who worked on it", missing="nobody yet, or not recorded"),
        Column(
            "first_response_at", "time", "first answer by a person", missing="none yet", known_with="first_response_at"
        ),
        Column("resolved_at", "time", "when it was resolved for good", missing="still open", known_with="resolved_at"),
        Column("channel", "text", "email, chat, phone, ..."),
        Column("priority", "text", "urgency, as the desk writes it"),
        Column("category", "text", "what it was about"),
        measure("wait_seconds", "time until it was answered", "seconds"),
        Column("answered", "flag", "whether it was answered at all; false is abandoned"),
        count("contacts", "contacts until it was resolved", "contacts", "resolved_at"),
        Column("reopened", "flag", "whether it came back after it was resolved", known_with="resolved_at"),
        Column("escalated", "flag", "whether it was escalated", known_with="resolved_at"),
        measure("handle_minutes", "minutes of work", "minutes", known_with="resolved_at"),
        measure("csat", "satisfaction with the contact", "1 to 5", 1, 5, "resolved_at"),
        measure("ces", "effort score of the contact", "1 to 7", 1, 7, "resolved_at"),
        Column("comment", "text", "the customer's own words", known_with="resolved_at"),
    ),
)

SURVEYS = Table(
    name="surveys",
    grain="one row per answer, or per invitation with an empty answer",
    orders=(("sent_at", "answered_at"),),
    known_from=("sent_at", "answered_at"),
    references={"account_id": "accounts", "rep_id": "reps"},
    at_least_one=("sent_at", "answered_at"),
    fills="NPS, CSAT, CES, agent satisfaction, exit reasons",
    columns=(
        needed("kind", "text", "which survey", one_of=("nps", "csat", "ces", "agent", "exit")),
        Column("sent_at", "time", "when it was asked", missing="not recorded"),
        Column("answered_at", "time", "when it was answered", missing="no answer", known_with="answered_at"),
        Column("account_id", "text", "who was asked", missing="not recorded"),
        Column("rep_id", "text", "the rep it was about, or who answered (agent)", missing="nobody in particular"),
        Column("stage", "text", "onboarding, periodic or exit", one_of=("onboarding", "periodic", "exit")),
        measure("score", "the answer, on its kind's scale", "points", 0, 10, "answered_at"),
        Column("comment", "text", "the answer in words", known_with="answered_at"),
        after_outcome("reason", "text", "why they leave, as stated", known_with="answered_at"),
        after_outcome("competitor", "text", "to whom they go", "none", "answered_at"),
    ),
)

TOUCHES = Table(
    name="touches",
    grain="one row per Customer Success touch",
    known_from=("occurred_at",),
    references={"account_id": "accounts", "rep_id": "reps"},
    fills="what CSMs do, capacity, the cost of a touch",
    columns=(
        key("account_id", "the account touched"),
        needed("occurred_at", "time", "when it happened"),
        needed(
            "kind",
            "text",
            "what kind of touch",
            one_of=("onboarding", "qbr", "check_in", "training", "escalation", "renewal", "other"),
        ),
        Column("rep_id", "text", "who did it", missing="not recorded"),
        measure("hours", "working time it took", "hours"),
        Column("channel", "text", "video, phone, on site, ..."),
    ),
)

REPS = Table(
    name="reps",
    grain="one row per person",
    key=("rep_id",),
    keeps_attributes=True,
    periods=(("hired_on", "left_on"),),
    known_from=("hired_on",),
    references={"manager_id": "reps"},
    fills="benchmarks at rep, manager and organisation level, capacity, cost",
    columns=(
        key("rep_id", "the person's key"),
        Column("name", "text", "the person's name"),
        Column("role", "text", "what the person does", one_of=("csm", "support", "manager")),
        Column("manager_id", "text", "whom the person reports to", missing="nobody, or not recorded"),
        Column("team", "text", "the team"),
        Column("segment", "text", "the segment served"),
        Column("hired_on", "date", "first day in the job", missing="before the data"),
        Column("left_on", "date", "last day in the job", missing="still there", known_with="left_on"),
        Column("moved_to", "text", "the other department the person went to", missing="none", known_with="left_on"),
        amount("annual_cost", "what the person costs a year, everything included"),
        measure("working_hours_per_month", "contracted hours", "hours per month"),
    ),
)

ASSIGNMENTS = Table(
    name="assignments",
    grain="one row per account, rep and period, [start_date, end_date)",
    key=("account_id", "rep_id", "start_date"),
    periods=(("start_date", "end_date"),),
    known_from=("start_date",),
    references={"account_id": "accounts", "rep_id": "reps"},
    fills="coverage: whose book an account was in, the vanish effect",
    columns=(
        key("account_id", "the account looked after"),
        key("rep_id", "who looked after it"),
        needed("start_date", "date", "the first day"),
        Column("end_date", "date", "the first day no longer", True, missing="still assigned", known_with="end_date"),
        Column("role", "text", "csm, backup, ..."),
    ),
)

COSTS = Table(
    name="costs",
    grain="one row per month and item",
    key=("month", "item", "function"),
    known_from=("month",),
    fills="what Customer Success costs: break-even and ROI",
    columns=(
        needed("month", "date", "any day of the month"),
        key("item", "what was paid for: pay, software, ..."),
        needed("amount", "money", "the amount", "currency", minimum=0),
        Column("currency", "text", "currency of amount; that of mrr", missing="the source's currency"),
        Column("function", "text", "the department", missing="customer_success", default="customer_success"),
    ),
)

WORK_PLAN = Table(
    name="work_plan",
    grain="one row per segment and activity",
    key=("segment", "activity"),
    fills="capacity bottom-up",
    columns=(
        key("segment", "the segment served"),
        key("activity", "the piece of work, e.g. qbr"),
        needed("times_per_year", "number", "how often per account and year", "per year", minimum=0),
        needed("preparation_hours", "number", "hours to prepare one", "hours", minimum=0),
        needed("delivery_hours", "number", "hours to hold one", "hours", minimum=0),
        needed("follow_up_hours", "number", "hours to follow one up", "hours", minimum=0),
        Column("value_note", "text", "what it is worth, in words"),
    ),
)

GOALS = Table(
    name="goals",
    grain="one row per metric, owner and period, [period_start, period_end)",
    key=("metric", "department", "owner", "period_start"),
    periods=(("period_start", "period_end"),),
    known_from=("period_start",),
    fills="targets beside the figures, the scorecard",
    columns=(
        key("metric", "what is aimed at: a key of the definitions, or words"),
        key("department", "who answers for it"),
        needed("target", "number", "the value aimed at, in the metric's unit"),
        needed("period_start", "date", "the first day"),
        needed("period_end", "date", "the first day no longer"),
        Column("owner", "text", "the person or team", missing="the whole department", default="department"),
        Column("baseline", "number", "the value to start from, in the metric's unit"),
    ),
)

TOUCHPOINTS = Table(
    name="touchpoints",
    grain="one row per day, touchpoint and stage",
    key=("date", "touchpoint", "stage"),
    known_from=("date",),
    fills="before, during and after the purchase: clicks, exits, bounces",
    columns=(
        needed("date", "date", "the day"),
        key("touchpoint", "where the customer was met, e.g. pricing page"),
        needed("stage", "text", "before, during or after the purchase", one_of=("before", "during", "after")),
        count("impressions", "how often it was shown"),
        count("clicks", "how often it was clicked"),
        count("exits", "sessions that ended there"),
        count("bounces", "sessions that saw nothing else"),
        count("sessions", "sessions that saw it"),
    ),
)

PEOPLE_RECORDS = Table(
    name="people_records",
    grain="one row per hiring interview, training or process",
    known_from=("date",),
    references={"rep_id": "reps"},
    fills="hiring, training and documented processes",
    columns=(
        needed("kind", "text", "what is recorded", one_of=("interview", "training", "process")),
        Column("rep_id", "text", "the person, once hired", missing="not hired, or nobody in particular"),
        Column("candidate_id", "text", "the candidate's key"),
        Column("date", "date", "the day", missing="known all the time"),
        measure("drive", "interview score", "points"),
        measure("coachability", "interview score", "points"),
        measure("positivity", "interview score", "points"),
        measure("empathy", "interview score", "points"),
        Column("course", "text", "the training"),
        measure("hours", "length of the training", "hours"),
        Column("process", "text", "the process"),
        Column("documented", "flag", "whether the process is written down"),
        Column("covered_in_onboarding", "flag", "whether new people are taught it"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        ACCOUNTS, SUBSCRIPTIONS, RENEWALS, USAGE, TICKETS, SURVEYS, TOUCHES, REPS, ASSIGNMENTS, COSTS, WORK_PLAN, GOALS,
        TOUCHPOINTS, PEOPLE_RECORDS,
    )
}  # fmt: skip
