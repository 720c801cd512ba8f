"""The alarms, the risk model and the call list in worlds whose truth is known, and on the Telco data with its leaks."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from cs_helpers.churn.calls import mrr_at_risk, rank_calls
from cs_helpers.churn.design_matrix import build_design
from cs_helpers.churn.leaks_and_drift import drift, leaks, too_few_events
from cs_helpers.churn.risk_model import fit_risk
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed

TELCO = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "ibm_telco_churn"
FEATURES = ["logins", "tickets", "noise", "plan"]
LOGINS, TICKETS, PRO = 0.8, -0.6, 0.7  # log odds per SD, per unit, and against the basic plan
SD = 3.0


def world(seed, accounts=700, snapshots=8, effect=1.0, levels=None, base=-3.0):
    """Snapshots three months apart in which the log odds to leave are known, and the present, still undecided."""
    rng, frames = np.random.default_rng(seed), []
    dates = pd.date_range("2024-01-01", periods=snapshots + 1, freq="3MS")
    for number, date in enumerate(dates):
        x = rng.normal(size=(accounts, 3))
        plan = rng.choice(["basic", "pro", "team"], accounts, p=[0.5, 0.3, 0.2])
        level = base + (0 if levels is None else levels[number])
        eta = level + effect * (LOGINS * x[:, 0] + TICKETS * x[:, 1] + PRO * (plan == "pro"))
        noise = np.where(rng.random(accounts) < 0.1, np.nan, x[:, 2])
        frames.append(
            pd.DataFrame(
                {
                    "account_id": [f"a{i:05d}" for i in range(accounts)],
                    "snapshot": date,
                    "churned": rng.random(accounts) < 1 / (1 + np.exp(-eta)),
                    "mrr": np.round(rng.lognormal(6, 1, accounts), 2),
                    "due_date": date + pd.Timedelta(days=40),
                    "logins": 10 + SD * x[:, 0],
                    "tickets": x[:, 1],
                    "noise": noise,
                    "plan": plan,
                    "truth": eta,
                }
            )
        )
    return pd.concat(frames[:-1], ignore_index=True), frames[-1]


@pytest.fixture(scope="module")
def planted():
    table, now = world(1)
    return fit_risk(table, FEATURES, 25), table, now


@pytest.fixture(scope="module")
def telco():
    if not TELCO.exists():
        pytest.skip("the Telco data are not there")
    status = pd.read_csv(TELCO / "Telco_customer_churn_status_v11_1_3.csv")
    rest = pd.read_csv(TELCO / "Telco_customer_churn_v11_churn_reason.csv")
    joined = rest.merge(
        status[["Customer ID", "Satisfaction Score", "Customer Status", "Churn Category"]],
        left_on="CustomerID",
        right_on="Customer ID",
        validate="one_to_one",
    )
    return joined.drop(columns="Customer ID")


# --- leaks -----------------------------------------------------------------------------------------------------------


def test_on_the_telco_data_the_columns_written_after_the_fact_alarm_and_no_other(telco):
    left = telco["Churn Value"] == 1
    found = leaks(telco, left).set_index("feature")
    known_after = {"Churn Label", "Churn Value", "Churn Category", "Customer Status"}
    assert set(found.index) == known_after | {"Satisfaction Score", "Churn Score", "Churn Reason"}
    # Churn Score stays below the limit of the AUC: 80 is the highest of those who stayed, 65 the lowest of those who
    # left.
    assert 0.9 < found.loc["Churn Score", "auc"] < 0.95 and "nearly decides" in found.loc["Churn Score", "why"]
    shuffled = telco.sample(frac=1, random_state=3).reset_index(drop=True)
    assert leaks(shuffled, shuffled["Churn Value"] == 1).set_index("feature").equals(found)


def plain(n=400, share=0.25, seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.random(n) < share, n


def test_a_number_that_is_filled_in_only_for_those_who_left_alarms():
    rng, left, n = plain()
    found = leaks(pd.DataFrame({"notice": np.where(left, rng.random(n), np.nan), "other": rng.random(n)}), left)
    assert found["feature"].tolist() == ["notice"]
    assert found.loc[0, "auc"] == 1 and "filled in" in found.loc[0, "why"]


def test_a_number_that_is_extreme_at_both_ends_for_those_who_left_alarms():
    rng, left, n = plain()
    value = np.where(left, rng.choice([-1, 1], n) * rng.uniform(5, 9, n), rng.uniform(-5, 5, n))
    found = leaks(pd.DataFrame({"value": value}), left)
    assert "by its ranges" in found.loc[0, "why"]


def test_a_code_for_left_in_a_text_alarms_whichever_way_round():
    _, left, _ = plain()
    table = pd.DataFrame({"state": np.where(left, "closed", "open"), "turned": np.where(left, "open", "closed")})
    assert leaks(table, left)["feature"].tolist() == ["state", "turned"]


def test_ids_names_constants_and_empty_columns_do_not_alarm():
    rng, left, n = plain()
    ids = [f"id{i}" for i in range(n)]
    table = pd.DataFrame({"id": ids, "number": rng.permutation(n), "constant": 1, "empty": np.nan, "same": "x"})
    assert leaks(table, left).empty
    assert leaks(table[["id"]], left, keys=ids).empty


def test_strong_but_honest_columns_do_not_alarm():
    rng, left, n = plain(n=2000)
    table = pd.DataFrame(
        {"strong": rng.normal(size=n) + 1.5 * left, "plan": np.where(left | (rng.random(n) < 0.2), "a", "b")}
    )
    assert leaks(table, left).empty


@given(st.integers(0, 10_000), st.sampled_from([0.03, 0.3, 0.9]))
@settings(max_examples=30, deadline=None)
def test_noise_never_alarms(seed, share):
    rng, left, n = plain(600, share, seed)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "few": rng.integers(0, 40, n).astype(str),
            "many": rng.integers(0, 250, n).astype(str),
        }
    )
    table.loc[rng.random(n) < 0.3, "x"] = np.nan
    assert leaks(table, left).empty


def test_the_order_of_the_rows_does_not_decide_which_half_judges_which():
    rng, left, n = plain()
    table = pd.DataFrame({"few": rng.integers(0, 9, n).astype(str), "many": rng.integers(0, 90, n).astype(str)})
    order = rng.permutation(n)
    found = leaks(table, left, threshold=0.0)
    assert found["feature"].tolist() == ["few", "many"]
    pd.testing.assert_frame_equal(found, leaks(table.iloc[order], left[order], threshold=0.0))


def test_too_few_to_judge_alarms_nothing_and_missing_outcomes_are_refused():
    left = np.arange(100) < 9
    assert leaks(pd.DataFrame({"left": left}), left).empty
    assert not leaks(pd.DataFrame({"left": np.arange(100) < 10}), np.arange(100) < 10).empty
    with pytest.raises(ContractError):
        leaks(pd.DataFrame({"x": [1, 2]}), [True, None])


# --- drift -----------------------------------------------------------------------------------------------------------


def test_psi_by_hand():
    # 100 and 100 rows; half a row added to each bin: 50.5 and 50.5 of 101, now 90.5 and 10.5.
    train = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50})
    now = pd.DataFrame({"plan": ["a"] * 90 + ["b"] * 10})
    psi = sum((q - 50.5) / 101 * math.log(q / 50.5) for q in (90.5, 10.5))
    found = drift(train, now).iloc[0]
    assert found["psi"] == approx(psi) and psi > 0.25 and found["alarm"]


def test_planted_drift_is_found_and_the_rest_is_not():
    rng = np.random.default_rng(5)
    train = pd.DataFrame(
        {"moved": rng.normal(size=3000), "still": rng.normal(size=3000), "gaps": rng.normal(size=3000)}
    )
    now = pd.DataFrame({"moved": rng.normal(1, 1, 500), "still": rng.normal(size=500), "gaps": rng.normal(size=500)})
    now.loc[rng.random(500) < 0.4, "gaps"] = np.nan
    assert drift(train, now).set_index("feature")["alarm"].to_dict() == {"moved": True, "still": False, "gaps": True}


def test_few_rows_now_do_not_alarm_by_chance():
    rng, alarms = np.random.default_rng(6), 0
    train = pd.DataFrame({"x": rng.normal(size=2000)})
    for _ in range(100):
        alarms += drift(train, pd.DataFrame({"x": rng.normal(size=25)}))["alarm"].sum()
    assert alarms <= 2


def test_levels_never_seen_are_named():
    train = pd.DataFrame({"plan": ["a"] * 60 + ["b"] * 40})
    found = drift(train, pd.DataFrame({"plan": ["a"] * 50 + ["new"] * 30 + [None] * 5})).iloc[0]
    assert (found["unseen"], found["levels"], found["alarm"]) == (30, ("new",), True)


def test_drift_needs_rows_and_the_same_columns():
    table = pd.DataFrame({"x": [1.0, 2.0]})
    for train, now in ((table, table.iloc[:0]), (table.iloc[:0], table), (table, table.rename(columns={"x": "y"}))):
        with pytest.raises(ContractError):
            drift(train, now)
    with pytest.raises(ContractError, match="instead of numbers"):
        drift(table, pd.DataFrame({"x": ["a"]}))


# --- the model -------------------------------------------------------------------------------------------------------


def test_the_planted_world_is_recovered(planted):
    risk, table, now = planted
    assert (risk.kind, risk.out_of_time, risk.verdict) == ("logistic", True, "useful")
    assert risk.test_snapshot == table["snapshot"].max() and risk.test_rows == 700 and risk.train_rows == 4900
    drivers = risk.coefficients.set_index(["feature", risk.coefficients["level"].fillna("")])
    for key, truth in {
        ("logins", ""): LOGINS / SD * drivers.loc[("logins", ""), "sd"],
        ("tickets", ""): TICKETS * drivers.loc[("tickets", ""), "sd"],
        ("plan", "pro"): PRO,
        ("plan", "team"): 0.0,
        ("noise", ""): 0.0,
        ("noise", "(missing)"): 0.0,
    }.items():
        assert drivers.loc[key, "low"] < truth < drivers.loc[key, "high"], key
    assert drivers.loc[("logins", ""), "low"] > 0 > drivers.loc[("tickets", ""), "high"]
    assert drivers.loc[("plan", "pro"), "against"] == "basic"
    assert risk.calibration.slope_low < 1 < risk.calibration.slope_high
    assert risk.calibration.intercept_low < 0 < risk.calibration.intercept_high
    assert risk.top.lift_low > 1 and risk.brier_skill > 0
    assert risk.score(now).mean() == approx((1 / (1 + np.exp(-now["truth"]))).mean(), rel=0.15)
    assert np.corrcoef(risk.log_odds(now), now["truth"])[0, 1] > 0.97
    assert not risk.drift(now)["alarm"].any()


def test_where_nothing_tells_who_leaves_the_model_says_so():
    lifts = []
    for seed in range(8):
        risk = fit_risk(
            world(seed, 400, effect=0, base=-2.5)[0], FEATURES, 40, min_to_challenge=300 if seed < 1 else 10**9
        )
        assert risk.verdict == "weak" and risk.kind == "logistic"
        lifts.append(risk.top.lift)
    assert np.mean(lifts) == approx(1.0, abs=0.25)


@pytest.mark.parametrize(
    "levels", [np.linspace(0, 1.2, 9), np.repeat([0.0, -0.8], [5, 4])], ids=["churn that climbs", "churn that fell"]
)
def test_the_probabilities_follow_the_level_of_churn(levels):
    table, now = world(3, 1500, levels=levels, base=-2.5)
    risk = fit_risk(table, FEATURES, 25, min_to_challenge=10**9)
    expected = (1 / (1 + np.exp(-now["truth"]))).mean()
    assert abs(risk.score(now).mean() / expected - 1) < 0.15 < abs(table["churned"].mean() / expected - 1)
    assert risk.calibration.intercept_low < 0.15 and risk.calibration.intercept_high > -0.15


def test_with_a_steady_level_hardly_anything_is_shifted(planted):
    assert abs(planted[0].level_shift) < 0.1


def test_a_planted_leak_stays_out_and_is_listed():
    table, _ = world(2, 400)
    rng = np.random.default_rng(0)
    table["cancelled_by"] = np.where(table["churned"], "customer", None)
    table["exit_score"] = np.where(table["churned"], rng.uniform(60, 100, len(table)), rng.uniform(0, 70, len(table)))
    table["constant"] = 1
    features = [*FEATURES, "cancelled_by", "exit_score", "constant"]
    risk = fit_risk(table, features, 25, min_to_challenge=10**9)
    assert risk.features == tuple(FEATURES)
    assert set(risk.leaks["feature"]) == {"cancelled_by", "exit_score"}
    why = risk.dropped.set_index("feature")["why"]
    assert set(why.index) == {"cancelled_by", "exit_score", "constant"} and "AUC" in why["cancelled_by"]
    assert set(risk.coefficients["feature"]) <= set(FEATURES)


def test_boosting_takes_over_only_where_the_logistic_model_cannot_see_it():
    rng = np.random.default_rng(4)
    table, now = world(4, 700, effect=0)
    for frame in (table, now):
        frame["a"], frame["b"] = rng.normal(size=len(frame)), rng.normal(size=len(frame))
        frame["churned"] = rng.random(len(frame)) < np.where(frame["a"] * frame["b"] > 0, 0.25, 0.02)
    risk = fit_risk(table, ["a", "b"], 100)
    assert risk.kind == "boosted" and risk.challenger.used and risk.challenger.high < 0
    assert risk.verdict == "useful" and risk.auc > 0.7
    assert risk.calibration.slope == approx(1, abs=0.35)
    scored = risk.score(now)
    assert scored[now["a"] * now["b"] > 0.2].mean() > 5 * scored[now["a"] * now["b"] < -0.2].mean()


def test_the_planted_world_keeps_the_logistic_model(planted):
    assert not planted[0].challenger.used and planted[0].challenger.high > 0


def test_boosting_is_tried_only_where_enough_left(planted):
    few = fit_risk(planted[1], FEATURES, 25, min_to_challenge=10**6)
    assert few.challenger is None and few.kind == "logistic" and few.auc == planted[0].auc


def same(one, other):
    assert (one.auc, one.brier, one.top, one.calibration, one.ridge, one.level_shift, one.challenger) == (
        (other.auc, other.brier, other.top, other.calibration, other.ridge, other.level_shift, other.challenger)
    )
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients, check_exact=True)
    pd.testing.assert_frame_equal(one.reliability, other.reliability, check_exact=True)


def test_equal_input_in_any_order_gives_equal_output(planted):
    risk, table, now = planted
    again = fit_risk(table.sample(frac=1, random_state=1), FEATURES, 25)
    same(risk, again)
    mixed = now.sample(frac=1, random_state=2)
    pd.testing.assert_series_equal(risk.score(now), again.score(mixed).loc[now.index], check_exact=True)
    pd.testing.assert_frame_equal(rank_calls(risk, now, table.tail(700)), rank_calls(again, mixed, table.tail(700)))


@pytest.mark.parametrize("snapshots", [0, 2], ids=["no snapshot column", "two snapshots"])
def test_without_enough_snapshots_accounts_are_split_and_that_is_said(snapshots):
    table, _ = world(8, 2000, snapshots=max(1, snapshots), base=-2)
    table = table if snapshots else table.drop(columns="snapshot")
    risk = fit_risk(table, FEATURES, 25, min_to_challenge=10**9)
    assert not risk.out_of_time and risk.test_snapshot is None and risk.level_shift == 0
    assert risk.test_rows / len(table) == approx(0.2, abs=0.04)
    assert risk.verdict == "useful" and risk.calibration.intercept_low < 0 < risk.calibration.intercept_high
    same(risk, fit_risk(table.sample(frac=1, random_state=1), FEATURES, 25, min_to_challenge=10**9))


def with_churn(which):
    table, _ = world(1, 100, snapshots=4)
    order = np.arange(len(table))
    return table.assign(churned={"all": order >= 0, "none": order < 0, "five": order % 80 == 0}[which])


@pytest.mark.parametrize(
    ("which", "words"),
    [("all", "400 rows everybody left"), ("none", "400 rows nobody left"), ("five", "of 300 rows .*at least 50")],
)
def test_too_little_churn_or_stay_is_refused_in_words(which, words):
    found = fit_risk(with_churn(which), FEATURES, 25)
    assert isinstance(found, Suppressed)
    assert pd.Series([found.reason]).str.contains(words).all(), found.reason


def test_too_few_events_says_what_is_lacking():
    many, few = np.arange(100) < 60, np.arange(100) < 9
    assert too_few_events(many, many) is None
    assert "9 of 100 rows in the last snapshot left, at least 10" in too_few_events(many, few).reason
    assert "9 of 100 rows to learn from left, at least 50" in too_few_events(few, many).reason
    assert "Everybody left in the rows" in too_few_events(many, np.ones(60, bool)).reason
    assert too_few_events(few, few, min_train=9, min_test=9) is None


def test_no_rows_nobody_now_and_no_feature_are_refused(planted):
    _, table, now = planted
    assert "nobody left" in fit_risk(table.iloc[:0], FEATURES, 25).reason
    assert "Nobody pays now" in fit_risk(table, FEATURES, 25, now=now.iloc[:0]).reason
    only = table.assign(code=np.where(table["churned"], "x", "y"))
    assert "No feature is left" in fit_risk(only, ["code"], 25).reason
    assert "No feature is left" in fit_risk(table, [], 25).reason


@pytest.mark.parametrize(
    "change",
    [
        lambda t: (t.drop(columns="churned"), FEATURES),
        lambda t: (t, [*FEATURES, "nothing"]),
        lambda t: (t, [*FEATURES, "churned"]),
        lambda t: (t, [*FEATURES, "due_date"]),
        lambda t: (t.assign(when=t["due_date"]), ["when"]),
        lambda t: (t, [*FEATURES, "plan"]),
        lambda t: (pd.concat([t, t.head(1)]), FEATURES),
        lambda t: (t.assign(logins=math.inf), FEATURES),
        lambda t: (t.assign(churned=t["churned"].astype(object).where(t["logins"] > 9)), FEATURES),
        lambda t: (t.assign(snapshot=pd.NaT), FEATURES),
    ],
)
def test_tables_that_break_the_contract_are_refused(planted, change):
    table, features = change(planted[1])
    with pytest.raises(ContractError):
        fit_risk(table, features, 25)


def test_scoring_needs_the_columns_of_training(planted):
    risk, _, now = planted
    for wrong in (now.drop(columns="plan"), now.assign(logins="many")):
        with pytest.raises(ContractError):
            risk.score(wrong)
    assert risk.score(now.iloc[:0]).empty


# --- the design ------------------------------------------------------------------------------------------------------


def test_the_design_standardises_fills_flags_pools_and_clips():
    plan = ["a"] * 50 + ["b"] * 40 + ["rare"] * 20 + ["odd"] * 10
    number = np.where(np.arange(120) < 30, np.nan, np.arange(120.0))
    table = pd.DataFrame({"plan": plan, "number": number, "one": 1.0})
    design = build_design(table, ["plan", "number", "one"], rarest=30)
    assert design.columns["feature"].tolist() == ["plan", "plan", "number", "number"]
    assert design.columns["level"].fillna("").tolist() == ["b", "(other)", "", "(missing)"]
    assert design.constant == ("one",)
    x = design.matrix(table)
    assert x[:, 3].mean() == approx(0) and x[:, 3].std() == approx(1)
    assert x.sum(axis=0)[[1, 2, 4]].tolist() == [40, 30, 30]
    new = pd.DataFrame({"plan": ["never seen", "odd", None], "number": [74.5, np.nan, 1e9], "one": 1.0})
    y = design.matrix(new)
    assert y[:, 1:3].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert y[0, 3] == y[1, 3] and y[:, 4].tolist() == [0, 1, 0]
    assert y[2, 3] == x[:, 3].max()  # not beyond what training saw


def test_one_wild_value_does_not_flatten_a_column():
    values = np.append(np.arange(1000.0), 1e12)
    x = build_design(pd.DataFrame({"x": values}), ["x"]).matrix(pd.DataFrame({"x": values}))[:, 1]
    assert x[:1000].std() > 0.9 and x[1000] < 10


def test_contributions_add_up_to_the_log_odds_against_the_average(planted):
    risk, table, now = planted
    added = risk.contributions(now)
    assert list(added.columns) == FEATURES
    gap = risk.log_odds(now) - added.sum(axis=1)
    assert gap.max() - gap.min() == approx(0, abs=1e-9)
    assert risk.contributions(table).mean().abs().max() == approx(0, abs=1e-9)


# --- the call list ---------------------------------------------------------------------------------------------------


def test_the_call_list_is_the_top_of_the_scores_with_reasons_that_add_risk(planted):
    risk, _, now = planted
    found = rank_calls(risk, now, capacity=40, names={"a00001": "One"})
    scored = now.assign(p=risk.score(now)).set_index("account_id")
    assert len(found) == 40 and found["probability"].is_monotonic_decreasing
    assert set(found["account_id"]) == set(scored["p"].nlargest(40).index)
    assert found["probability"].tolist() == scored["p"].loc[found["account_id"]].tolist()
    assert found["mrr_at_risk"].tolist() == (found["probability"] * found["mrr"]).tolist()
    assert found["due_date"].tolist() == scored["due_date"].loc[found["account_id"]].tolist()
    assert (found["change"] == "new").all() and found["previous_probability"].isna().all()
    assert found["moved"].isna().all()
    added = risk.contributions(scored.loc[found["account_id"]])
    for account, reasons in zip(found["account_id"], found["reasons"], strict=True):
        positive = added.loc[account][added.loc[account] > 0].sort_values(ascending=False)
        assert [name for name, *_ in reasons] == positive.index[:3].tolist()
        for name, value, typical, log_odds in reasons:
            actual = scored.loc[account, name]
            assert value == actual or (value is None and pd.isna(actual))
            assert typical == risk.typical[name] and log_odds == added.loc[account, name]
    named = rank_calls(risk, now, capacity=700, names=pd.Series({"a00001": "One"})).set_index("account_id")["name"]
    assert named["a00001"] == "One" and named["a00002"] == "a00002"


def test_ties_go_by_mrr_and_then_by_account(planted):
    risk, _, now = planted
    alike = now.head(4).assign(logins=10.0, tickets=0.0, noise=0.0, plan="pro", mrr=[5.0, 9.0, 9.0, 7.0])
    assert rank_calls(risk, alike[::-1])["account_id"].tolist() == ["a00001", "a00002", "a00003", "a00000"]


def test_what_changed_since_last_time_and_which_feature_moved(planted):
    risk, _, now = planted
    rows = now.head(5).assign(logins=[16.0, 15.0, 14.0, 13.0, 12.0], tickets=0.0, noise=0.0, plan="pro")
    # Before, two that have left since came first. a00000 has risen by its logins, a00001 fallen by its tickets, a00002
    # and a00003 are as they were, a00004 is new.
    before = rows.assign(logins=[10.0, 15.0, 14.0, 13.0, 12.0], tickets=[0, -2.0, 0, 0, 0]).head(4)
    gone = [rows.head(1).assign(account_id=name, logins=25.0) for name in ("b1", "b2")]
    earlier = pd.concat([before, *gone])
    found = rank_calls(risk, rows, earlier, capacity=5).set_index("account_id")
    assert found.index.tolist() == [f"a0000{i}" for i in range(5)]
    assert found["change"].tolist() == ["up", "down", "same", "same", "new"]
    assert found["moved"].fillna("").tolist() == ["logins", "tickets", "", "", ""]
    assert found["previous_rank"].tolist()[:4] == [6, 3, 4, 5] and found["previous_rank"].isna().iloc[4]
    old = risk.score(earlier.set_index("account_id"))
    assert found["previous_probability"].tolist()[:4] == old.loc[found.index[:4]].tolist()
    # In a list of four, a00003 has moved up from place 5 although nothing about it changed.
    four = rank_calls(risk, rows, earlier, capacity=4).set_index("account_id")
    assert four["change"].tolist() == ["up", "down", "same", "up"]


def test_mrr_at_risk_is_the_sum_of_probability_times_mrr_and_its_interval_covers_what_happens(planted):
    risk, _, now = planted
    p, mrr = risk.score(now).to_numpy(), now["mrr"].to_numpy()
    found = mrr_at_risk(risk, now)
    assert found.expected == approx((p * mrr).sum())
    assert (found.high - found.low) / 2 == approx(1.959964 * math.sqrt((p * (1 - p) * mrr**2).sum()), rel=1e-6)
    assert found.mrr == approx(mrr.sum()) and found.accounts == 700
    lost = (np.random.default_rng(1).random((2000, len(p))) < p) @ mrr
    assert ((lost >= found.low) & (lost <= found.high)).mean() == approx(0.95, abs=0.03)


def test_the_call_list_refuses_an_empty_present_and_tables_it_cannot_use(planted):
    risk, _, now = planted
    assert "Nobody pays now" in rank_calls(risk, now.iloc[:0]).reason
    assert "Nobody pays now" in mrr_at_risk(risk, now.iloc[:0]).reason
    assert len(rank_calls(risk, now.head(1))) == 1
    assert (rank_calls(risk, now, now.iloc[:0])["change"] == "new").all()
    assert rank_calls(risk, now.drop(columns="due_date"))["due_date"].isna().all()
    for wrong in (now.drop(columns="mrr"), pd.concat([now, now.head(1)]), now.assign(mrr=-1.0), now.assign(mrr=np.nan)):
        with pytest.raises(ContractError):
            rank_calls(risk, wrong)
    with pytest.raises(ContractError):
        rank_calls(risk, now, capacity=0)


def test_the_verdict_needs_both_intervals(planted):
    risk = planted[0]
    assert risk.verdict == "useful"
    assert replace(risk, auc_low=0.49).verdict == "weak"
    assert replace(risk, top=replace(risk.top, lift_low=0.99)).verdict == "weak"
