"""Sentences of the churn report: rise, fall, no clear change, too little data; never more than their intervals."""

from types import SimpleNamespace as Result

import numpy as np
import pandas as pd
import pytest
from rolled import rolled

from cs_helpers import churn, retention, show
from cs_helpers.core import stats
from cs_helpers.core.estimates import Change, Comparison, Estimate, Target
from cs_helpers.core.results import Suppressed

AS_OF = pd.Timestamp("2026-01-01")
REFUSED = Suppressed("3 accounts; 20 are needed")
HOSTILE = "<script>alert(1)</script>"


def comparison(now, before, n=200, target=None, key="grr"):
    estimates = [Estimate(key, share, share * n, n, n, *stats.wilson_interval(share * n, n)) for share in (now, before)]
    return Comparison(*estimates, stats.compare(*estimates), "2025", "2024", target=target)


@pytest.mark.parametrize(
    ("now", "before", "said", "not_said"),
    [
        (0.95, 0.80, "rose from 80.0", "fell"),
        (0.70, 0.90, "fell from 90.0", "rose"),
        (0.85, 0.86, "no clear change from 86.0", "fell"),
    ],
)
def test_a_rate_rises_falls_or_does_neither_clearly(now, before, said, not_said):
    text = show.say_change(comparison(now, before)).text
    assert said in text and not_said not in text


def test_a_rate_of_too_few_accounts_is_not_said_to_move():
    text = show.say_change(comparison(0.5, 1.0, n=10)).text
    assert "cannot be told" in text and "10 accounts" in text


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("met", "is met"), ("missed", "is missed"), ("no clear verdict", "lies inside the interval, so it is neither")],
)
def test_a_target_is_named_with_its_verdict(verdict, said):
    aim = Target(0.92, verdict, "2025", "Customer Success")
    text = show.say_change(comparison(0.85, 0.86, target=aim)).text
    assert f"target of 92.0\u202f% {said}" in text
    tile = show.tiles([comparison(0.85, 0.86, target=aim)], "EUR")
    shown = "cannot be told" if verdict == "no clear verdict" else verdict
    assert f"Target 92.0\u202f%: {shown}" in tile.html
    assert tile.data[show.MIME.format("headline")]["headline"][0]["target"] == 0.92


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    dates = {c: pd.to_datetime(table[c]).astype("datetime64[us]") for c in ("start_date", "end_date")}
    return table.assign(mrr=table["mrr"].astype(float), **dates)


def grouped(leaving, n=60):
    rows, groups = [], {}
    for group, gone in leaving.items():
        for k in range(n):
            rows.append((f"{group}{k}", "2023-05-01", "2025-06-15" if k < gone else None, 100))
            groups[f"{group}{k}"] = group
    panel = rolled("account_month", subscriptions(*rows), start="2024-01-01", end=AS_OF, dense=True)
    return retention.by_group(panel, pd.Series(groups, name="segment"), AS_OF)


def test_groups_that_differ_are_named_and_those_that_do_not_are_not():
    apart = show.say_groups(grouped({"SMB": 30, "ENT": 3}))
    assert "segment SMB keeps less revenue than the others: GRR 50.0" in apart.text
    better = show.say_groups(grouped({"SMB": 30, "MID": 28, "ENT": 1}))
    assert "segment" in better.text
    alike = show.say_groups(grouped({"SMB": 5, "ENT": 4}))
    assert "No segment keeps clearly more or less" in alike.text
    assert "SMB keeps" not in alike.text
    assert show.say_groups(REFUSED).text.endswith("3 accounts; 20 are needed.")


def test_group_tables_show_every_interval_and_escape_names():
    found = grouped({HOSTILE: 30, "ENT": 3})
    block = show.groups_table(found, "EUR")
    assert "<script>" not in block.html and "&lt;script&gt;" in block.html
    low, high = found.table.loc["ENT", ["grr_low", "grr_high"]]
    assert f"{low * 100:.1f} to {high * 100:.1f}" in block.html
    assert "60 accounts" in show.alt_groups(found)
    assert "under 20 accounts" in show.note_groups(found)
    assert show.groups_table(REFUSED, "EUR").html == "" == show.alt_groups(REFUSED) == show.note_groups(REFUSED)


def test_years_say_what_was_started_and_ended_with():
    panel = rolled(
        "account_month",
        subscriptions(
            ("A", "2023-01-01", None, 100), ("B", "2023-01-01", "2025-03-01", 50), ("C", "2025-02-01", None, 9)
        ),
        start="2025-01-01", end=AS_OF, dense=True,
    )  # fmt: skip
    frame = retention.years(panel, AS_OF)
    text = show.say_years(frame).text
    assert "January 2025 to December 2025: started with 2 accounts, ended with 2." in text
    assert "1 of those at the start still paid at the end, 1 did not, and 1 that were not paying" in text
    assert "€150" in show.years_table(frame, "EUR").html
    nobody = frame.assign(started=0)
    assert "No account was paying" in show.say_years(nobody).text


@pytest.mark.parametrize(
    ("value", "said"),
    [(2.0, "more than was lost"), (0.5, "less than was lost"), (1.0, "Gained was what was lost")],
)
def test_the_quick_ratio_says_which_side_is_larger(value, said):
    assert said in show.say_quick_ratio(Estimate("quick_ratio", value, value, 1.0, 0)).text


def test_a_ratio_without_any_loss_says_so():
    none = Estimate("quick_ratio", None, 5.0, 0.0, 0, reason="nothing was lost in this window")
    assert show.say_quick_ratio(none).text == "There is no quick ratio. Nothing was lost in this window."
    rate = Estimate("repeat_purchase_rate", None, None, None, 0, reason="nobody bought anything in this window")
    assert "Nobody bought anything" in show.say_purchases(rate, "2025").text


def renewals(rate=0.85, n=240, coming=40, seed=1):
    rng = np.random.default_rng(seed)
    due = AS_OF - pd.to_timedelta(rng.integers(1, 700, n), unit="D")
    past = pd.DataFrame({"due_date": due, "target_mrr": 100.0, "renewed_mrr": 100.0 * (rng.random(n) < rate)})
    ahead = pd.DataFrame(
        {"due_date": AS_OF + pd.to_timedelta(rng.integers(0, 360, coming), unit="D"), "target_mrr": 100.0}
    )
    both = pd.concat([past.assign(decided_date=due), ahead.assign(renewed_mrr=np.nan)], ignore_index=True)
    return both.assign(account_id=[f"{k}" for k in range(len(both))], recorded=True)


def test_the_outlook_says_due_expected_range_and_what_it_rests_on():
    outlook = retention.renewal_outlook(renewals(), AS_OF)
    text = show.say_outlook(outlook, "EUR").text
    assert "€4.0k of MRR comes up for renewal in the next 12 months" in text
    assert f"{show.money(outlook.total['low'], 'EUR', short=True)} to" in text
    assert "if renewals go on as in the last twelve months" in text
    table = show.outlook_table(outlook, "EUR")
    assert table.html.count("<tr>") == 1 + 4 + 1
    assert "nan" not in table.html.lower() and "inf" not in table.html.lower()
    assert "As in the worst quarter" in table.html
    assert "contract term" not in show.note_outlook(outlook, "EUR")
    derived = retention.renewal_outlook(renewals().assign(recorded=False), AS_OF)
    assert "due by contract term" in show.note_outlook(derived, "EUR")


def test_an_outlook_without_scenarios_says_why():
    few = renewals(n=300)
    few = few[(few["due_date"] >= AS_OF - pd.Timedelta(days=80))].reset_index(drop=True)
    outlook = retention.renewal_outlook(few, AS_OF)
    assert "Fewer than four past quarters" in show.note_outlook(outlook, "EUR")
    assert "nan" not in show.outlook_table(outlook, "EUR").html.lower()


def test_scores_say_by_how_much_and_which_way_a_forecast_was_off():
    book = renewals(n=600)
    worse = book.assign(renewed_mrr=book["renewed_mrr"].mask(book["due_date"].between("2025-10-01", "2025-12-31"), 0.0))
    text = show.say_score(retention.score_forecasts(worse, AS_OF)).text
    assert "too high, outside its range" in text
    assert "3 of 4 ranges held" in text
    fine = retention.score_forecasts(book, AS_OF)
    assert "inside its range" in show.say_score(fine).text
    assert show.score_table(fine, "EUR").html.count("<tr>") == 5
    for refused in (show.say_outlook(REFUSED, "EUR"), show.say_score(REFUSED)):
        assert refused.text.endswith("3 accounts; 20 are needed.")


def reason_book(stated=(), recorded=None, n=20):
    rows = [(f"A{k:02d}", "2024-01-01", "2025-06-15", 100) for k in range(n)] + [("stays", "2024-01-01", None, 900)]
    panel = rolled("account_month", subscriptions(*rows), start="2025-01-01", end=AS_OF, dense=True)
    exits = pd.DataFrame({"account_id": [f"A{k:02d}" for k in range(len(stated))], "reason": list(stated)})
    exits = exits.assign(
        kind="exit", sent_at=pd.Timestamp("2025-06-16"), answered_at=pd.Timestamp("2025-06-17"), competitor=None
    )
    known = pd.Series(recorded or {}, dtype="object", name="recorded")
    groups = pd.Series({f"A{k:02d}": "SMB" for k in range(n)}, name="segment")
    return churn.reasons(churn.departures(panel, pd.Timestamp("2025-01-01"), AS_OF, known, exits, groups))


def test_a_leading_reason_is_called_clear_only_where_its_interval_says_so():
    clear = reason_book(recorded={f"A{k:02d}": "price" if k < 17 else "service" for k in range(20)})
    assert "Price is the reason for the most lost revenue" in show.say_reasons(clear, "EUR").text
    close = reason_book(recorded={f"A{k:02d}": "price" if k < 8 else "service" for k in range(15)})
    text = show.say_reasons(close, "EUR").text
    assert "leads, but not clearly" in text
    assert "For 25\u202f% of the lost MRR no reason is known." in text


def test_agreement_hands_and_competitors_say_what_is_not_known():
    found = reason_book(recorded={f"A{k:02d}": "price" for k in range(12)})
    assert "no departure has both" in show.say_agreement(found).text.lower()
    assert "No reason outside the company's hands was given." in show.say_controllable(found).text
    assert show.say_competitors(found).text.strip() == "No exit survey named a competitor."
    both = reason_book(stated=["price"] * 12, recorded={f"A{k:02d}": "service" for k in range(12)})
    assert "In 0 of 12 departures with both" in show.say_agreement(both).text
    for said in (show.say_agreement, show.say_controllable, show.say_competitors):
        assert said(REFUSED).text.endswith("3 accounts; 20 are needed.")
    assert "20 are needed" in show.say_reasons(REFUSED, "EUR").text


def test_reason_tables_name_the_unknown_and_escape_what_people_wrote():
    found = reason_book(recorded={f"A{k:02d}": HOSTILE for k in range(12)})
    html = show.reasons_table(found, "EUR").html + show.reasons_by_group(found, "segment").html
    assert "<script>" not in html
    assert "Unknown: 40.0\u202f% of departures" in html
    assert show.reason_rows(REFUSED) is REFUSED
    assert "nan" not in html.lower()
    assert "3 accounts" in show.reasons_table(REFUSED, "EUR").html


def spells_book(hazards, n=400, seed=1):
    """Spells of groups with constant monthly hazards, censored at 36 months."""
    rng = np.random.default_rng(seed)
    frames = []
    for group, hazard in hazards.items():
        life = rng.geometric(hazard, n)
        frames.append(
            pd.DataFrame(
                {
                    "attribute": group, "duration_months": np.minimum(life, 36).astype(float), "churned": life <= 36,
                    "entry_months": 0.0, "spells": 1, "mrr": 100, "mrr_squares": 10000.0,
                }
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_curves_by_group_differ_or_do_not_by_the_log_rank_test():
    differ = churn.curves_by_group(spells_book({"SMB": 0.05, "ENT": 0.02}), "segment")
    text = show.say_stay_by_group(differ).text
    assert "differs by segment; SMB leave soonest" in text and "p < 0.001" in text
    alike = churn.curves_by_group(spells_book({"SMB": 0.03, "ENT": 0.03}), "segment")
    assert "does not clearly differ by segment" in show.say_stay_by_group(alike).text
    assert show.say_stay_by_group(REFUSED).text.endswith("20 are needed.")
    assert "SMB (400 spells)" in show.alt_stay_by_group(differ)


def test_incidence_names_the_largest_reason_and_what_the_usual_way_would_say():
    rng = np.random.default_rng(2)
    life = rng.geometric(0.04, 600)
    cause = np.where(rng.random(600) < 0.6, "price", np.where(rng.random(600) < 0.5, "service", "unknown"))
    cause = pd.Series(cause, dtype="object").where(life <= 30)
    result = churn.cumulative_incidence(np.minimum(life, 30.0), cause, min_at_risk=10)
    text = show.say_incidence(result).text
    assert "leave for price, the commonest reason" in text
    assert "service" in text and "are still there" in text
    note = show.note_incidence(result)
    assert f"{result.naive['price'] * 100:.0f}" in note
    assert show.say_incidence(REFUSED).text.endswith("20 are needed.")


def projection(held_out):
    curve = pd.DataFrame(
        {"survival": [1.0, 0.8, 0.7], "low": [1.0, 0.75, 0.6], "high": [1.0, 0.85, 0.8]}, index=[0, 12, 24]
    )
    return Result(
        expected_lifetime=19.5, expected_lifetime_interval=(18.0, 21.0), horizon_months=24, hold_out_months=12,
        held_out=held_out, curve=curve, observed_to=18.0, fit=Result(alpha=1.0, beta=9.0, homogeneous=False),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "inside", "said"),
    [(-0.08, False, "optimistic"), (0.08, False, "cautious"), (-0.01, True, "within what it allowed for")],
)
def test_a_projection_says_how_it_fared_on_what_it_had_not_seen(error, inside, said):
    held = Result(accounts=400, expected_share=0.9, expected_low=0.87, expected_high=0.93, actual_share=0.9 + error,
                  error=error, inside=inside)  # fmt: skip
    text = show.say_projection(projection(held)).text
    assert "19.5 months of the next 24" in text and said in text
    untested = show.say_projection(projection(Suppressed("less than 18 months of data"))).text
    assert "It has not been tested: less than 18 months of data." in untested
    assert "seen to 18 months" in show.alt_projection(projection(held))


def lifetimes(naive):
    return pd.DataFrame(
        {
            "accounts": [100, 10], "mrr": [500.0, 90.0], "margin": [0.8, 0.7], "expected_months": [28.0, np.nan],
            "value": [10_000.0, np.nan], "low": [9_000.0, np.nan], "high": [11_000.0, np.nan],
            "naive": [30_000.0, np.nan], "naive_within_horizon": [naive, np.nan], "reason": ["", "2 spells ended"],
        },
        index=["All", "<b>"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("naive", "said"), [(9_000.0, "10\u202f% less"), (12_000.0, "20\u202f% more"), (10_001.0, "the same")]
)
def test_lifetime_value_shows_how_far_arpa_over_churn_is_off(naive, said):
    assert said in show.say_lifetime(lifetimes(naive), "EUR", 36).text
    html = show.lifetime_table(lifetimes(naive), "EUR", 36, "segment").html
    assert "nan" not in html.lower() and "<b>" not in html
    assert "2 spells ended." in html


def test_lifetime_without_margin_or_churn_gives_the_reason():
    assert show.say_lifetime(REFUSED, "EUR", 36).text.endswith("20 are needed.")
    refused = lifetimes(1.0).assign(reason="nobody left")
    assert show.say_lifetime(refused, "EUR", 36).text.endswith("Nobody left.")


def risk(verdict="useful", leaks=(), challenger=None, out_of_time=True):
    return Result(
        verdict=verdict, out_of_time=out_of_time, test_events=30, test_rows=400, auc=0.75, auc_low=0.68, auc_high=0.82,
        top=Result(k=25, hits=9.5, found=0.32, lift=5.1, lift_low=3.0, lift_high=8.0, precision=0.38, low=0.2, high=0.6,
                   base_rate=0.075),
        calibration=Result(slope=0.9, slope_low=0.6, slope_high=1.2, intercept=0.1, intercept_low=-0.2,
                           intercept_high=0.4),
        brier=0.06, brier_skill=0.12, train_rows=4000, train_events=280, test_snapshot=pd.Timestamp("2026-03-01"),
        leaks=pd.DataFrame(leaks, columns=["feature", "auc", "why"]), challenger=challenger, kind="logistic",
        reliability=pd.DataFrame({"n": [100], "expected": [0.1], "observed": [0.12], "low": [0.05], "high": [0.2]}),
        coefficients=pd.DataFrame(
            {"feature": ["usage_trend", "account: industry"], "level": [np.nan, HOSTILE], "log_odds": [-0.6, 0.4],
             "low": [-0.8, -0.1], "high": [-0.4, 0.9]}
        ),
    )  # fmt: skip


AT_RISK = Result(expected=12_000.0, low=8_000.0, high=16_000.0, accounts=400, mrr=1e6)


def test_a_useful_model_says_what_it_finds_and_a_weak_one_that_it_is_none():
    useful = show.say_risk(risk(), AT_RISK, "EUR").text
    assert "finds 5.1 times as many leavers as chance" in useful and "€12k of MRR is at risk" in useful
    weak = show.say_risk(risk("weak"), AT_RISK, "EUR").text
    assert "no better than chance can be" in weak and "finds" not in weak
    undated = show.say_risk(risk(out_of_time=False), AT_RISK, "EUR").text
    assert "no test of the future" in undated
    assert show.say_risk(REFUSED, REFUSED, "EUR").text.endswith("20 are needed.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "come true about as often"),
        ({"slope_low": 0.4, "slope_high": 0.8}, "too extreme"),
        ({"intercept_low": 0.1}, "too low"),
        ({"intercept_high": -0.1, "intercept_low": -0.5}, "too high"),
    ],
)
def test_calibration_is_faulted_only_where_its_interval_says_so(change, said):
    found = risk()
    for name, value in change.items():
        setattr(found.calibration, name, value)
    assert said in show.say_calibration(found).text


def test_drivers_are_named_only_where_clear_and_never_as_causes():
    text = show.say_drivers(risk()).text
    assert "usage trend" in text and "industry" not in text
    assert "no proof of a cause" in text
    none = risk()
    none.coefficients = none.coefficients.assign(low=-1.0, high=1.0)
    assert "Nothing measured" in show.say_drivers(none).text
    rows = show.driver_rows(risk())
    assert rows["label"].iloc[0] == "Usage trend"


def test_alarms_name_leaks_drift_and_the_challenger():
    leak = [("account: exit score", 0.99, "alone it tells leavers from others")]
    drift = pd.DataFrame({"feature": ["usage_28"], "psi": [0.4], "alarm": [True], "why": [""]})
    rival = Result(difference=0.001, low=-0.002, high=0.004, used=False)
    html = show.alarms(risk(leaks=leak, challenger=rival), drift).html
    assert "Leak alarm: account: exit score stays out" in html
    assert "Drift alarm: Usage, last 28 days" in html
    assert "does not clearly beat" in html
    calm = show.alarms(risk(), drift.assign(alarm=False)).html
    assert "No column gives the outcome away, and no feature has drifted." in calm


def calls(**change):
    row = {
        "account_id": "A", "name": HOSTILE, "mrr": 500.0, "due_date": pd.Timestamp("2026-02-01"), "probability": 0.4,
        "mrr_at_risk": 200.0, "reasons": (("usage_trend", np.log(0.6), 0.0, 0.7), ("covered", 0.0, 1.0, 0.3)),
        "previous_probability": 0.2, "previous_rank": 60.0, "change": "up", "moved": "usage_trend", **change,
    }  # fmt: skip
    return pd.DataFrame([row])


def test_the_call_list_gives_reasons_in_words_and_what_changed():
    block = show.calls_table(calls(), "EUR")
    assert "usage down 40\u202f% against its own three months; no CSM" in block.html
    assert "up from 20\u202f%, usage trend" in block.html
    assert "1 February 2026" in block.html
    assert "<script>" not in block.html
    assert "not most savable" in block.html
    new = show.calls_table(calls(previous_probability=np.nan, change="new", moved=None, due_date=pd.NaT), "EUR").html
    assert "not scored a month ago" in new and "monthly" in new
    assert "3 accounts" in show.calls_table(REFUSED, "EUR").html
    assert "nobody to call" in show.calls_table(calls().iloc[:0], "EUR").html
    assert "not most savable" in show.say_calls(calls(), risk(), "EUR").text


@pytest.mark.parametrize(
    ("feature", "value", "usual", "words"),
    [
        ("log_mrr", np.log(1500.0), 6.0, "MRR €1.5k"),
        ("usage_28", np.log1p(3), np.log1p(12), "3 uses in 28 days (usual: 12)"),
        ("tickets_90", np.log1p(1), np.log1p(1), "1 ticket in three months"),
        ("due_in_window", 1.0, 0.0, "contract comes due"),
        ("nps_last", 3.0, 8.0, "NPS answer 3 (usual: 8)"),
        ("csat_90", np.nan, 4.0, "csat of recent tickets: not known"),
        ("csat_90", None, 4.0, "csat of recent tickets: not known"),
        ("account: industry", "Retail", None, "industry: Retail"),
        ("discount_rate", 0.2, 0.0, "discount 20\u202f% (usual: 0\u202f%)"),
        ("my own feature", 12.0, 3.0, "my own feature 12"),
        ("vacant", 1.0, 0.0, "its CSM left and nobody followed"),
    ],
)
def test_each_reason_reads_as_a_csm_would_say_it(feature, value, usual, words):
    assert show.reason_words(feature, value, usual, "EUR") == words


def test_every_feature_that_snapshots_make_has_words():
    from cs_helpers.show import risk as words

    named = set(words.LABELS)
    assert {"usage_trend", "covered", "nps_last"} <= named
    for feature in named - {"log_mrr"}:
        assert feature in words._PHRASES, feature


def test_a_change_of_a_plain_sum_needs_no_interval():
    item = Comparison(
        Estimate("mrr", 120.0, 120.0, None, 9),
        Estimate("mrr", 100.0, 100.0, None, 8),
        Change("rise", 20.0),
        "now",
        "then",
    )
    assert "up 20.0" in show.say_change(item, "EUR").text
