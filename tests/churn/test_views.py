"""What the views of churn say: a finding never claims more than its interval, and what data say is escaped."""

import re
from dataclasses import replace
from types import SimpleNamespace as Stand

import numpy as np
import pandas as pd
import pytest
from rolled import rolled

from cs_helpers import churn
from cs_helpers.churn.calls import CallList, MrrAtRisk
from cs_helpers.churn.churn_reasons import departures, reason_shares
from cs_helpers.churn.customer_value import LifetimeValues
from cs_helpers.churn.group_curves import curves_by_group
from cs_helpers.churn.risk_model import RiskFactors, RiskValidation
from cs_helpers.churn.views import at_risk as at_risk_views
from cs_helpers.churn.views import causes, tenure
from cs_helpers.core.results import Suppressed
from cs_helpers.report.views import begin_page, render

AS_OF = pd.Timestamp("2026-01-01")
REFUSED = Suppressed("3 accounts; 20 are needed")
HOSTILE = "<script>alert(1)</script>"


def words(text):
    return str(text).replace("\u202f", " ")


def test_survival_is_said_with_its_interval_and_an_open_median_is_not_filled_in():
    curve = churn.kaplan_meier([12.0] * 20 + [30.0] * 80, [True] * 20 + [False] * 80)
    text = words(curve.headline)
    assert text.startswith("80 % of accounts still pay 12 months after they started. 95 % interval 71 to 87 %.")
    assert text.endswith("Half have not left within the 30 months of age that were seen.")


def test_a_median_whose_upper_limit_is_open_is_given_as_a_lower_bound_only():
    # S falls to .475 at 24, but its upper limit stays above one half.
    curve = churn.kaplan_meier([24.0] * 21 + [30.0] * 19, [True] * 21 + [False] * 19)
    assert curve.median == 24
    assert "Half have left after 24 months at the earliest; the latest cannot be told" in words(curve.headline)


def test_nobody_leaving_leaves_it_open():
    curve = churn.kaplan_meier([12.0] * 20, [False] * 20)
    assert words(curve.headline) == ("None of the 20 paid spells ended in the data. How long accounts stay is open.")


def test_a_part_that_the_data_do_not_allow_says_so_below_the_curve():
    curve = churn.kaplan_meier([12.0] * 20 + [30.0] * 80, [True] * 20 + [False] * 80)
    revenue = Suppressed("2 accounts hold all MRR", "", "How long revenue stays cannot be told.", "survival-revenue")
    begin_page()
    html = render(replace(curve, revenue=revenue)).html
    assert "How long revenue stays cannot be told. 2 accounts hold all MRR." in html
    assert 'id="survival-revenue"' in html and "began before the data do" in html


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    dates = {c: pd.to_datetime(table[c]).astype("datetime64[us]") for c in ("start_date", "end_date")}
    return table.assign(mrr=table["mrr"].astype(float), **dates)


def reason_book(stated=(), recorded=None, n=20):
    rows = [(f"A{k:02d}", "2024-01-01", "2025-06-15", 100) for k in range(n)] + [("stays", "2024-01-01", None, 900)]
    panel = rolled("account_month", subscriptions(*rows), start="2025-01-01", end=AS_OF, dense=True)
    exits = pd.DataFrame({"account_id": [f"A{k:02d}" for k in range(len(stated))], "reason": list(stated)})
    exits = exits.assign(
        kind="exit", sent_at=pd.Timestamp("2025-06-16"), answered_at=pd.Timestamp("2025-06-17"), competitor=None
    )
    known = pd.Series(recorded or {}, dtype="object", name="recorded")
    groups = pd.Series({f"A{k:02d}": "SMB" for k in range(n)}, name="segment")
    return replace(
        reason_shares(departures(panel, pd.Timestamp("2025-01-01"), AS_OF, known, exits, groups)),
        currency="EUR", by="segment",
    )  # fmt: skip


def test_a_leading_reason_is_called_clear_only_where_its_interval_says_so():
    clear = reason_book(recorded={f"A{k:02d}": "price" if k < 17 else "service" for k in range(20)})
    assert "Price is the reason for the most lost revenue" in clear.headline
    close = reason_book(recorded={f"A{k:02d}": "price" if k < 8 else "service" for k in range(15)})
    text = close.headline
    assert "leads, but not clearly" in text
    assert "For 25\u202f% of the lost MRR no reason is known." in text


def findings(result):
    """The further sentences of the section, by their place."""
    return {each.anchor: each.text for each in causes.ReasonsView().findings(result)}


def test_agreement_hands_and_competitors_say_what_is_not_known():
    found = findings(reason_book(recorded={f"A{k:02d}": "price" for k in range(12)}))
    assert "no departure has both" in found["reasons-agree"].lower()
    assert "No reason outside the company's hands was given." in found["reasons-controllable"]
    assert found["competitors"].strip() == "No exit survey named a competitor."
    both = findings(reason_book(stated=["price"] * 12, recorded={f"A{k:02d}": "service" for k in range(12)}))
    assert "In 0 of 12 departures with both" in both["reasons-agree"]


def test_reason_tables_name_the_unknown_and_escape_what_people_wrote():
    found = reason_book(recorded={f"A{k:02d}": HOSTILE for k in range(12)})
    html = render(found).html
    tables = re.sub(r"<svg.*?</svg>", "", html, flags=re.S)
    assert "<script>" not in html
    assert "Unknown: 40.0\u202f% of departures" in html
    assert "by segment</caption>" in html
    assert "nan" not in tables.lower()
    assert "by segment" not in render(replace(found, by="")).html


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
    differ = curves_by_group(spells_book({"SMB": 0.05, "ENT": 0.02}), "segment")
    text = differ.headline
    assert "differs by segment; SMB leave soonest" in text and "p < 0.001" in text
    alike = curves_by_group(spells_book({"SMB": 0.03, "ENT": 0.03}), "segment")
    assert "does not clearly differ by segment" in alike.headline
    assert "SMB (400 spells)" in tenure.GroupCurvesView().alt_text(differ)


def test_incidence_names_the_largest_reason_and_what_the_usual_way_would_say():
    rng = np.random.default_rng(2)
    life = rng.geometric(0.04, 600)
    cause = np.where(rng.random(600) < 0.6, "price", np.where(rng.random(600) < 0.5, "service", "unknown"))
    cause = pd.Series(cause, dtype="object").where(life <= 30)
    result = churn.cumulative_incidence(np.minimum(life, 30.0), cause, min_at_risk=10)
    text = result.headline
    assert "leave for price, the commonest reason" in text
    assert "service" in text and "are still there" in text
    note = causes.IncidenceView().note(result)
    assert f"{result.naive['price'] * 100:.0f}" in note


def projection(held_out):
    curve = pd.DataFrame(
        {"survival": [1.0, 0.8, 0.7], "low": [1.0, 0.75, 0.6], "high": [1.0, 0.85, 0.8]}, index=[0, 12, 24]
    )
    return Stand(
        expected_lifetime=19.5, expected_lifetime_interval=(18.0, 21.0), horizon_months=24, hold_out_months=12,
        held_out=held_out, curve=curve, observed_to=18.0, fit=Stand(alpha=1.0, beta=9.0, homogeneous=False),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "inside", "said"),
    [(-0.08, False, "optimistic"), (0.08, False, "cautious"), (-0.01, True, "within what it allowed for")],
)
def test_a_projection_says_how_it_fared_on_what_it_had_not_seen(error, inside, said):
    held = Stand(accounts=400, expected_share=0.9, expected_low=0.87, expected_high=0.93, actual_share=0.9 + error,
                  error=error, inside=inside)  # fmt: skip
    text = tenure.ProjectionView().headline(projection(held)).text
    assert "19.5 months of the next 24" in text and said in text
    untested = tenure.ProjectionView().headline(projection(Suppressed("less than 18 months of data"))).text
    assert "It has not been tested: less than 18 months of data." in untested
    assert "seen to 18 months" in tenure.ProjectionView().alt_text(projection(held))


def lifetimes(naive, **change):
    values = pd.DataFrame(
        {
            "accounts": [100, 10], "mrr": [500.0, 90.0], "margin": [0.8, 0.7], "expected_months": [28.0, np.nan],
            "value": [10_000.0, np.nan], "low": [9_000.0, np.nan], "high": [11_000.0, np.nan],
            "naive": [30_000.0, np.nan], "naive_within_horizon": [naive, np.nan], "reason": ["", "2 spells ended"],
        },
        index=pd.Index(["All", "<b>"], name="group"),
    )  # fmt: skip
    return LifetimeValues(values.assign(**change), horizon_months=36, currency="EUR", by="segment")


@pytest.mark.parametrize(
    ("naive", "said"), [(9_000.0, "10\u202f% less"), (12_000.0, "20\u202f% more"), (10_001.0, "the same")]
)
def test_lifetime_value_shows_how_far_arpa_over_churn_is_off(naive, said):
    assert said in lifetimes(naive).headline
    html = render(lifetimes(naive)).html
    assert "nan" not in html.lower() and "<b>" not in html
    assert "2 spells ended." in html


def test_lifetime_without_churn_gives_the_reason():
    assert lifetimes(1.0, reason="nobody left").headline.endswith("Nobody left.")


def risk(verdict="useful", leaks=(), challenger=None, out_of_time=True):
    return Stand(
        verdict=verdict, out_of_time=out_of_time, test_events=30, test_rows=400, auc=0.75, auc_low=0.68, auc_high=0.82,
        top=Stand(k=25, hits=9.5, found=0.32, lift=5.1, lift_low=3.0, lift_high=8.0, precision=0.38, low=0.2, high=0.6,
                   base_rate=0.075),
        calibration=Stand(slope=0.9, slope_low=0.6, slope_high=1.2, intercept=0.1, intercept_low=-0.2,
                           intercept_high=0.4),
        brier=0.06, brier_skill=0.12, train_rows=4000, train_events=280, test_snapshot=pd.Timestamp("2026-03-01"),
        leaks=pd.DataFrame(leaks, columns=["feature", "auc", "why"]), challenger=challenger, kind="logistic",
        reliability=pd.DataFrame({"n": [100], "expected": [0.1], "observed": [0.12], "low": [0.05], "high": [0.2]}),
        coefficients=pd.DataFrame(
            {"feature": ["usage_trend", "account: industry"], "level": [np.nan, HOSTILE], "log_odds": [-0.6, 0.4],
             "low": [-0.8, -0.1], "high": [-0.4, 0.9]}
        ),
    )  # fmt: skip


AT_RISK = MrrAtRisk(expected=12_000.0, low=8_000.0, high=16_000.0, accounts=400, mrr=1e6)
NO_NOTICE = pd.DataFrame(columns=["account_id", "name", "notice_date", "mrr"])


def call_list(calls, model, at_risk=AT_RISK, notice=NO_NOTICE):
    return CallList(calls, notice, model, at_risk, "EUR")


def worth(model, at_risk=AT_RISK):
    (found,) = at_risk_views.CallListView().findings(call_list(calls(), model, at_risk))
    return found.text


def test_a_useful_model_says_what_it_finds_and_a_weak_one_that_it_is_none():
    useful = worth(risk())
    assert "finds 5.1 times as many leavers as chance" in useful and "€12k of MRR is at risk" in useful
    weak = worth(risk("weak"))
    assert "no better than chance can be" in weak and "finds" not in weak
    assert "no test of the future" in worth(risk(out_of_time=False))
    assert worth(REFUSED, REFUSED).endswith("20 are needed.")


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
    assert said in RiskValidation(found, NO_DRIFT).headline


NO_DRIFT = pd.DataFrame({"feature": ["usage_28"], "psi": [0.4], "alarm": [False], "why": [""]})


def test_drivers_are_named_only_where_clear_and_never_as_causes():
    found = RiskFactors(risk(), NO_DRIFT)
    assert "usage trend" in found.headline and "industry" not in found.headline
    assert "no proof of a cause" in found.headline
    none = risk()
    none.coefficients = none.coefficients.assign(low=-1.0, high=1.0)
    assert "Nothing measured" in RiskFactors(none, NO_DRIFT).headline
    html = render(found).html
    assert "Usage trend" in html and "<script>" not in html


def test_alarms_name_leaks_drift_and_the_challenger():
    leak = [("account: exit score", 0.99, "alone it tells leavers from others")]
    rival = Stand(difference=0.001, low=-0.002, high=0.004, used=False)
    html = render(RiskValidation(risk(leaks=leak, challenger=rival), NO_DRIFT.assign(alarm=True))).html
    assert "Leak alarm: account: exit score stays out" in html
    assert "Drift alarm: Usage, last 28 days" in html
    assert "does not clearly beat" in html
    calm = render(RiskValidation(risk(), NO_DRIFT)).html
    assert "No column gives the outcome away, and no feature has drifted." in calm
    assert "Is the model worth anything?" in calm


def calls(**change):
    row = {
        "account_id": "A", "name": HOSTILE, "mrr": 500.0, "due_date": pd.Timestamp("2026-02-01"), "probability": 0.4,
        "mrr_at_risk": 200.0, "reasons": (("usage_trend", np.log(0.6), 0.0, 0.7), ("covered", 0.0, 1.0, 0.3)),
        "previous_probability": 0.2, "previous_rank": 60.0, "change": "up", "moved": "usage_trend", **change,
    }  # fmt: skip
    return pd.DataFrame([row])


def test_the_call_list_gives_reasons_in_words_and_what_changed():
    html = render(call_list(calls(), risk())).html
    assert "usage down 40\u202f% against its own three months; no CSM" in html
    assert "up from 20\u202f%, usage trend" in html
    assert "1 February 2026" in html
    assert "<script>" not in html
    assert "not most savable" in html
    new = render(call_list(calls(previous_probability=np.nan, change="new", moved=None, due_date=pd.NaT), risk())).html
    assert "not scored a month ago" in new and "monthly" in new
    assert "nobody to call" in render(call_list(calls().iloc[:0], risk())).html
    assert "not most savable" in call_list(calls(), risk()).headline


def test_accounts_that_gave_notice_are_listed_though_no_model_can_be_made():
    notice = pd.DataFrame(
        {"account_id": ["A", "B"], "name": [HOSTILE, "Beta"], "notice_date": AS_OF, "mrr": [10.0, 20.0]}
    )
    html = render(call_list(REFUSED, REFUSED, REFUSED, notice)).html
    assert "There is no call list." in html and "3 accounts; 20 are needed." in html
    table = html[html.index("Have given notice and still pay") :]
    assert table.index("Beta") < table.index("&lt;script&gt;")


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
    assert at_risk_views.reason_words(feature, value, usual, "EUR") == words


def test_every_feature_that_snapshots_make_has_words():
    named = set(at_risk_views.LABELS)
    assert {"usage_trend", "covered", "nps_last"} <= named
    for feature in named - {"log_mrr"}:
        assert feature in at_risk_views._PHRASES, feature
