"""The simulated worlds: what is planted is there, the naive figures fail where they must, and the tables keep faith."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.errors import ParameterError
from cs_helpers.data.sample import worlds
from cs_helpers.data.sample.worlds import WORLDS, WorldParameters, process, simulate, true_effect
from cs_helpers.data.sample.worlds.parameters import BURN_IN

FILES = [
    f"{name}.csv"
    for name in ("accounts", "subscriptions", "usage", "touches", "tickets", "assignments", "reps", "costs")
] + ["mapping.yml", "truth.json"]
CONTRACT = {
    "accounts": "account_id name segment signup_date gross_margin",
    "subscriptions": "subscription_id account_id start_date end_date mrr currency term_months is_trial",
    "usage": "account_id occurred_at feature quantity",
    "touches": "account_id rep_id occurred_at kind hours",
    "tickets": "ticket_id account_id opened_at channel category",
    "assignments": "account_id rep_id start_date end_date role",
    "reps": "rep_id name role manager_id team hired_on left_on annual_cost working_hours_per_month",
    "costs": "month item amount function",
}
OPENS, CLOSES = "2024-07-01", "2026-07-01"
MONTHS = [f"{day:%Y-%m-%d}" for day in pd.date_range(OPENS, CLOSES, freq="MS")]
LARGE = 12_000
draw = cache(simulate)


@cache
def tables(world: str = "A") -> dict[str, pd.DataFrame]:
    return draw(world).tables()


# --- what an analyst would compute, in a few lines ------------------------------------------------------------


def logistic(outcome: pd.Series, columns: dict[str, pd.Series], cluster: pd.Series | None = None) -> pd.DataFrame:
    """Coefficients and standard errors by iteratively reweighted least squares, clustered if asked."""
    x = np.column_stack([np.ones(len(outcome)), *(np.asarray(c, float) for c in columns.values())])
    y = np.asarray(outcome, float)
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(y.mean() / (1 - y.mean()))
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ beta))
        bread = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)
        step = bread @ (x.T @ (y - p))
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    else:
        raise AssertionError("the logistic regression did not converge")
    covariance = bread
    if cluster is not None:
        scores = pd.DataFrame(x * (y - p)[:, None]).groupby(np.asarray(cluster)).sum().to_numpy()
        covariance = bread @ (scores.T @ scores) @ bread
    return pd.DataFrame({"b": beta, "se": np.sqrt(np.diag(covariance))}, index=["constant", *columns])


def ever_against_never(panel: pd.DataFrame) -> tuple[float, float]:
    """Points of survival to the end of the ever-covered over the never-covered, and its standard error."""
    by_account = panel.groupby("account_id")[["covered", "churned"]].any()
    stayed = [1 - by_account.loc[by_account["covered"] == ever, "churned"].mean() for ever in (True, False)]
    n = [(by_account["covered"] == ever).sum() for ever in (True, False)]
    error = np.sqrt(sum(s * (1 - s) / k for s, k in zip(stayed, n, strict=True)))
    return 100 * (stayed[0] - stayed[1]), 100 * error


def covered_against_uncovered_months(panel: pd.DataFrame) -> tuple[float, float]:
    """Points of 24-month survival at the hazard of covered over that of uncovered months, and its standard error."""
    value, variance = [], 0.0
    for covered in (True, False):
        churned = panel.loc[panel["covered"] == covered, "churned"]
        hazard = churned.mean()
        value.append((1 - hazard) ** 24)
        variance += (24 * (1 - hazard) ** 23) ** 2 * hazard * (1 - hazard) / len(churned)
    return 100 * (value[0] - value[1]), 100 * float(np.sqrt(variance))


def truth_at_24(world: str) -> float:
    return true_effect(WORLDS[world].parameters, 24)["24"]["logo_points"]


def day_after(days: pd.Series) -> pd.Series:
    return (pd.to_datetime(days) + pd.Timedelta(days=1)).dt.strftime("%Y-%m-%d")


# --- the truth ------------------------------------------------------------------------------------------------


def test_there_are_eight_worlds_and_each_says_what_is_true_and_what_is_asked_of_a_method() -> None:
    assert list(WORLDS) == ["A", "I", "B", "N", "M", "O", "U", "UN"]
    assert len({world.number for world in WORLDS.values()}) == 8
    for world in WORLDS.values():
        assert world.true.endswith(".") and world.good_method.endswith("."), world.name
        with pytest.raises(AttributeError):
            world.name = "other"  # type: ignore[misc]


def test_the_coefficients_are_those_of_the_design() -> None:
    for parameters in (WORLDS[letter].parameters for letter in "AIBMOU"):
        assert (
            parameters.churn_covered,
            parameters.churn_touch,
            parameters.health_keeps,
            parameters.health_covered,
        ) == (-0.25, -0.05, 0.85, 0.07)
    for parameters in (WORLDS[letter].parameters for letter in ("N", "UN")):
        assert (
            parameters.churn_covered,
            parameters.churn_touch,
            parameters.health_keeps,
            parameters.health_covered,
        ) == (0, 0, 0.85, 0)


def test_in_the_default_world_two_years_without_cs_cost_eight_points() -> None:
    effect = true_effect(WORLDS["A"].parameters, 24)
    assert effect["24"]["logo_points"] == pytest.approx(8.0, abs=0.3)
    points = [effect[horizon]["logo_points"] for horizon in ("6", "12", "18", "24")]
    assert points == sorted(points) and points[0] > 1
    assert effect["24"]["mrr_points"] > effect["24"]["logo_points"]  # big accounts are covered more


@pytest.mark.parametrize("world", ["N", "UN"])
def test_where_cs_does_nothing_the_true_effect_is_exactly_zero(world: str) -> None:
    for row in draw(world).truth["effect"].values():
        assert row["logo_points"] == row["mrr_points"] == row["logo_points_error"] == 0


@pytest.mark.parametrize("world", list(WORLDS))
def test_the_truth_states_a_small_monte_carlo_error(world: str) -> None:
    effect = true_effect(WORLDS[world].parameters, 24)
    assert list(effect) == ["6", "12", "18", "24"]
    assert all(row["logo_points_error"] <= 0.05 and row["mrr_points_error"] <= 0.1 for row in effect.values())


def test_the_truth_of_constant_hazards_is_known_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody covered and nobody touched: logit -3.25 with CS and -3 without, each month."""
    monkeypatch.setattr(process, "DEPARTURES", 0.0)
    parameters = WorldParameters(
        churn=-3.0, churn_health=0.0, churn_size=0.0, churn_tenure=0.0, assigned=60.0, assigned_size=0.0,
        assigned_health=0.0, assigned_before=0.0, touches=-60.0, touches_health=0.0,
    )  # fmt: skip
    with_cs, without = 1 - 1 / (1 + np.exp(3.25)), 1 - 1 / (1 + np.exp(3.0))
    for horizon, row in true_effect(parameters, 7).items():
        assert row["logo_points"] == pytest.approx(100 * (with_cs ** int(horizon) - without ** int(horizon)), abs=1e-3)
        assert row["mrr_points"] == pytest.approx(row["logo_points"], abs=1e-3)


def test_the_truth_through_health_alone_is_known_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage that lifts health by .07 a month and nothing else, health without noise in the churn it causes.

    With health_keeps = 1 there is no noise: k months after the window opens the twin's health is 0.07 k lower.
    """
    monkeypatch.setattr(process, "DEPARTURES", 0.0)
    parameters = WorldParameters(
        churn=-3.0, churn_health=-1.0, churn_size=0.0, churn_tenure=0.0, churn_covered=0.0, churn_touch=0.0,
        health_keeps=1.0, assigned=60.0, assigned_size=0.0, assigned_health=0.0, assigned_before=0.0,
    )  # fmt: skip
    first = np.random.default_rng(3).standard_normal(400_000)  # health when the burn-in began
    expected = []
    for lifted in (1, 0):
        health = [first + 0.07 * BURN_IN + 0.07 * k * lifted for k in range(6)]
        expected.append(np.prod([1 - 1 / (1 + np.exp(3.0 + h)) for h in health], axis=0).mean())
    row = true_effect(parameters, 6)["6"]
    assert row["logo_points"] == pytest.approx(
        100 * (expected[0] - expected[1]), abs=4 * row["logo_points_error"] + 0.03
    )


@pytest.mark.parametrize("world", ["A", "N", "UN"])
def test_the_draw_survives_as_the_truth_expects(world: str) -> None:
    panel = draw(world, LARGE).panel
    for horizon in (6, 12, 24):
        expected = true_effect(WORLDS[world].parameters, 24)[str(horizon)]["logo_survival"]
        stayed = 1 - panel.loc[panel["month"] < horizon, "churned"].sum() / LARGE
        assert abs(stayed - expected) < 3 * np.sqrt(expected * (1 - expected) / LARGE) + 0.002


def test_the_truth_belongs_to_the_world_and_not_to_the_draw() -> None:
    assert draw("A", 50, 24, 2).truth["effect"] == draw("A").truth["effect"]


def test_a_short_window_has_the_truth_of_its_own_length() -> None:
    assert list(draw("A", 20, 9).truth["effect"]) == ["6", "9"]
    short, long = draw("A", 20, 9).truth["effect"]["6"], draw("A").truth["effect"]["6"]
    assert short["logo_points"] == pytest.approx(long["logo_points"], abs=0.15)


def test_the_churn_probability_is_the_one_the_truth_file_writes_down() -> None:
    parameters = WorldParameters(
        churn=-3.0, churn_health=-0.5, churn_size=-0.2, churn_tenure=-0.01, churn_touch=-0.05, churn_hidden=0.4,
        churn_health_squared=0.1, churn_size_squared=0.3, churn_health_size=0.7, churn_covered=-0.25,
        churn_covered_health=0.6, churn_covered_size=-0.8,
    )  # fmt: skip
    one = process.Accounts(
        mrr=np.array([2200.0]), size=np.array([1.0]), tenure=np.array([20]), hidden=np.array([2.0]), seat=np.array([0])
    )
    health, covered, touches = np.array([-2.0]), np.array([True]), np.array([3])
    alone = -3.0 + 0.5 * 2 - 0.2 * 1 - 0.01 * (20 + 5) + 0.4 * 2 + 0.1 * (4 - 1) + 0.3 * (1 - 1) - 0.7 * 2
    helped = alone - 0.05 * 3 + (-0.25 - 0.6 * 2 - 0.8 * 1)
    assert process.churn_probability(parameters, one, 5, health) == pytest.approx(1 / (1 + np.exp(-alone)))
    assert process.churn_probability(parameters, one, 5, health, covered, touches) == pytest.approx(
        1 / (1 + np.exp(-helped))
    )


# --- what was planted -----------------------------------------------------------------------------------------


def test_a_regression_that_is_told_everything_finds_the_true_coefficients() -> None:
    panel, parameters = draw("A", LARGE).panel, WORLDS["A"].parameters
    size = panel["log_mrr"] - 6.7
    found = logistic(
        panel["churned"], dict(panel[["health", "tenure_months", "covered", "touches"]].items()) | {"size": size}
    )
    planted = {
        "constant": parameters.churn,
        "health": parameters.churn_health,
        "size": parameters.churn_size,
        "tenure_months": parameters.churn_tenure,
        "covered": -0.25,
        "touches": -0.05,
    }
    for name, value in planted.items():
        assert abs(found.loc[name, "b"] - value) < 3 * found.loc[name, "se"], name
    assert found.loc["covered", "se"] < 0.06 and found.loc["touches", "se"] < 0.015  # it would see a wrong sign


def next_health(world: str) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of next month's health on a constant, health and coverage: coefficients and errors."""
    panel = draw(world, LARGE).panel
    following = panel.groupby("account_id")["health"].shift(-1)
    seen = following.notna()
    x = np.column_stack([np.ones(seen.sum()), panel.loc[seen, "health"], panel.loc[seen, "covered"]])
    y = following[seen].to_numpy()
    beta, squares, *_ = np.linalg.lstsq(x, y)
    return beta, np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * squares / len(y))


@pytest.mark.parametrize(("world", "lift"), [("A", 0.07), ("N", 0.0)])
def test_coverage_lifts_the_next_months_health_as_planted(world: str, lift: float) -> None:
    beta, error = next_health(world)
    for found, se, planted in zip(beta, error, (0.0, 0.85, lift), strict=True):
        assert abs(found - planted) < 3 * se


def test_coverage_goes_to_big_accounts_and_to_low_health() -> None:
    panel = draw("A", LARGE).panel
    found = logistic(panel["covered"], {"log_mrr": panel["log_mrr"], "health": panel["health"]}, panel["account_id"])
    assert found.loc["log_mrr", "b"] > 5 * found.loc["log_mrr", "se"]
    assert found.loc["health", "b"] < -5 * found.loc["health", "se"]


def test_touches_rise_when_health_falls_and_need_a_csm() -> None:
    panel = draw("A").panel
    covered = panel[panel["covered"]]
    sick, well = covered[covered["health"] < -0.5], covered[covered["health"] > 0.5]
    assert sick["touches"].mean() > 1.3 * well["touches"].mean()
    assert panel.loc[~panel["covered"], "touches"].sum() == 0


def test_there_is_enough_churn_and_a_never_covered_arm_in_the_default_world() -> None:
    for seed in (1, 2, 3):
        panel = draw("A", seed=seed).panel
        by_account = panel.groupby("account_id")[["covered", "churned"]].any()
        never = by_account[~by_account["covered"]]
        assert by_account["churned"].sum() >= 300
        assert never["churned"].sum() >= 50
        assert (~never["churned"]).sum() >= 20


def churn_with_bends(world: str) -> pd.DataFrame:
    panel = draw(world, LARGE).panel
    health, size, covered = panel["health"], panel["log_mrr"] - 6.7, panel["covered"].astype(float)
    return logistic(
        panel["churned"],
        {
            "health": health, "size": size, "tenure": panel["tenure_months"], "touches": panel["touches"],
            "covered": covered, "health_squared": health**2, "size_squared": size**2, "health_size": health * size,
            "covered_health": covered * health, "covered_size": covered * size,
        },
    )  # fmt: skip


def test_the_non_linear_world_bends_and_the_default_world_does_not() -> None:
    parameters = WORLDS["M"].parameters
    bends = ("health_squared", "size_squared", "health_size", "covered_health", "covered_size")
    bent, straight = churn_with_bends("M"), churn_with_bends("A")
    for name in bends:
        assert getattr(parameters, f"churn_{name}") != 0
        assert abs(bent.loc[name, "b"] - getattr(parameters, f"churn_{name}")) < 3 * bent.loc[name, "se"], name
        assert abs(straight.loc[name, "b"]) < 3 * straight.loc[name, "se"], name
    assert ((bent["b"] / bent["se"]).abs()[list(bends)] > 2).sum() >= 4


def mrr_share_hardly_ever_uncovered(world: str) -> float:
    """Share of MRR-months whose P(uncovered), given size and health of the month, is below 5 %."""
    panel = draw(world).panel
    size, health = panel["log_mrr"] - 6.7, panel["health"]
    columns = {"size": size, "health": health, "size2": size**2, "health2": health**2, "both": size * health}
    b = logistic(panel["covered"], columns)["b"].to_numpy()
    uncovered = 1 / (1 + np.exp(np.column_stack([np.ones(len(panel)), *columns.values()]) @ b))
    return float(panel.loc[uncovered < 0.05, "mrr"].sum() / panel["mrr"].sum())


def test_overlap_is_poor_where_it_is_meant_to_be_and_nowhere_else() -> None:
    assert mrr_share_hardly_ever_uncovered("O") > 0.20
    for world in ("A", "I", "B", "M", "N"):
        assert mrr_share_hardly_ever_uncovered(world) < 0.05, world


# --- naive figures fail where they must -----------------------------------------------------------------------


def test_ever_against_never_covered_finds_an_effect_where_there_is_none() -> None:
    spurious, error = ever_against_never(draw("N", LARGE).panel)
    assert spurious >= 8 and spurious > 5 * error
    assert spurious == pytest.approx(12.6, abs=3 * error + 1.9)  # 10.7 in expectation


def test_ever_against_never_covered_exaggerates_in_the_default_world() -> None:
    found, error = ever_against_never(draw("A", LARGE).panel)
    assert found - truth_at_24("A") == pytest.approx(12.8, abs=3 * error + 1.5)  # 14.3 in expectation


@pytest.mark.parametrize(("world", "published"), [("I", -7.2), ("B", 6.8)])
def test_covered_against_uncovered_months_fails_by_whom_cs_is_sent_to(world: str, published: float) -> None:
    found, error = covered_against_uncovered_months(draw(world, LARGE).panel)
    bias = found - truth_at_24(world)
    assert bias == pytest.approx(published, abs=3 * error + 0.5)
    assert abs(bias) > 5 * error


def test_a_touch_count_shows_touches_causing_churn() -> None:
    panel = draw("A", LARGE).panel
    covered = panel[panel["covered"]]
    for rows in (panel, covered):
        found = logistic(rows["churned"], {"touches": rows["touches"]}).loc["touches"]
        assert found["b"] > 3 * found["se"]
    assert found["b"] == pytest.approx(0.16, abs=3 * found["se"])  # among covered months


# --- the hidden confounder and the negative controls ----------------------------------------------------------


def control(world: str, seed: int = 1, accounts: int = 2000) -> dict[str, float]:
    """z statistics of both negative controls given everything recorded, clustered by account."""
    panel = draw(world, accounts, seed=seed).panel
    recorded = {name: panel[name] for name in ("log_mrr", "health", "tenure_months")}
    late = logistic(panel["late_payment"], recorded | {"control": panel["covered"]}, panel["account_id"])
    alone = panel[~panel["covered"]]
    due = {name: alone[name] for name in ("log_mrr", "health", "tenure_months", "coverage_starts_next_quarter")}
    early = logistic(alone["churned"], due, alone["account_id"])
    return {
        "late_payment": late.loc["control", "b"] / late.loc["control", "se"],
        "coverage_starts_next_quarter": early["b"].iloc[-1] / early["se"].iloc[-1],
    }


@pytest.mark.parametrize("world", ["U", "UN"])
def test_the_negative_controls_show_the_hidden_confounder(world: str) -> None:
    for seed in (1, 2, 3):
        assert control(world, seed)["late_payment"] < -3.5  # at 5 % it fails less than once in 15 draws
    assert control(world, accounts=LARGE)["coverage_starts_next_quarter"] < -3


@pytest.mark.parametrize("world", ["A", "N"])
def test_the_negative_controls_are_silent_where_nothing_is_hidden(world: str) -> None:
    assert all(abs(z) < 3 for z in control(world, accounts=LARGE).values())


def test_the_hidden_trait_moves_coverage_and_churn_and_is_in_no_table() -> None:
    world = draw("U", LARGE)
    panel, hidden = world.panel, pd.Series(world._accounts.hidden, [f"A-{n:05d}" for n in range(1, LARGE + 1)])
    told = panel.assign(hidden=panel["account_id"].map(hidden))
    columns = {name: told[name] for name in ("log_mrr", "health", "tenure_months", "hidden")}
    assert logistic(told["churned"], columns | {"covered": told["covered"]}).loc["hidden", "b"] < -0.3
    assert logistic(told["covered"], columns).loc["hidden", "b"] > 0.3
    opening = told[told["month"] == 0]
    for name in opening.select_dtypes("number").columns.drop(["month", "hidden"]):
        assert abs(np.corrcoef(opening[name], opening["hidden"])[0, 1]) < 0.35, name
    exported = world.tables()
    assert not [name for table in exported.values() for name in table.columns if "hidden" in name]
    assert "hidden" not in panel.columns
    for name in ("accounts", "subscriptions"):
        numbers = exported[name].apply(pd.to_numeric, errors="coerce").select_dtypes("number").dropna(axis=1)
        for column in numbers.columns[numbers.std() > 0]:
            assert abs(np.corrcoef(numbers[column], hidden)[0, 1]) < 0.05, column


def test_coverage_that_starts_next_quarter_is_known_for_those_who_leave_too() -> None:
    panel = draw("A", LARGE).panel
    due = panel["coverage_starts_next_quarter"]
    assert not (due & panel["covered"]).any()
    assert panel.loc[due, "churned"].sum() > 20
    later = panel.groupby("account_id")["covered"]
    within = pd.concat([later.shift(-step) for step in (1, 2, 3)], axis=1)
    whole = within.notna().all(axis=1) & ~panel["covered"]
    assert (due[whole] == within[whole].astype(bool).any(axis=1)).all()


def test_late_payments_owe_nothing_to_coverage_or_health() -> None:
    panel = draw("A", LARGE).panel
    columns = {name: panel[name] for name in ("log_mrr", "health", "covered", "touches")}
    found = logistic(panel["late_payment"], columns, panel["account_id"])
    assert found.loc["log_mrr", "b"] == pytest.approx(-0.3, abs=3 * found.loc["log_mrr", "se"])
    for name in ("health", "covered", "touches"):
        assert abs(found.loc[name, "b"]) < 3 * found.loc[name, "se"], name


# --- the seats ------------------------------------------------------------------------------------------------


def test_people_leave_at_two_percent_a_month_and_seats_are_empty_for_three() -> None:
    person = process.draw_seats(2000, 60, np.random.default_rng(5)).person
    here, there = person[:-1], person[1:]
    filled_before = np.vstack([np.zeros((1, 2000), bool), here[:-1] >= 0])
    settled = (here >= 0) & filled_before  # a newcomer's first month is safe
    rate = (there[settled] < 0).mean()
    assert abs(rate - 0.02) < 3 * np.sqrt(0.02 * 0.98 / settled.sum())
    for seat in person.T[:500]:
        empty = (seat < 0).astype(int)
        edges = np.diff(np.concatenate([[0], empty, [0]]))
        runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
        inner = runs[(np.flatnonzero(edges == 1) > 0) & (np.flatnonzero(edges == -1) < len(seat))]
        assert (inner == 3).all()
    assert all(len(np.unique(seat)) == len(np.unique(seat[seat >= 0])) + (seat < 0).any() for seat in person.T[:20])


def test_nobody_sits_in_two_seats() -> None:
    person = process.draw_seats(25, 24, np.random.default_rng(8)).person
    seats = {}
    for row in person:
        for seat, number in enumerate(row):
            if number >= 0:
                assert seats.setdefault(number, seat) == seat
    assert len(seats) > 25


def test_accounts_of_a_csm_who_left_have_nobody_for_three_months() -> None:
    shown, panel = tables(), draw("A").panel
    left = shown["reps"].loc[lambda r: (r["left_on"] != "") & (r["left_on"] < "2026-03-01"), ["rep_id", "left_on"]]
    assert 3 <= len(left) <= 30
    for rep_id, left_on in left.itertuples(index=False):
        month = MONTHS.index(day_after(pd.Series([left_on]))[0])
        last = panel[(panel["csm_id"] == rep_id) & (panel["month"] == month - 1)]["account_id"]
        rows = panel[panel["account_id"].isin(last) & panel["month"].between(month, month + 2)]
        assert len(last) > 5 and len(rows) > 10 and not rows["covered"].any()
        back = panel[panel["account_id"].isin(last) & (panel["month"] == month + 3)]
        assert back["covered"].mean() > 0.6 and back.loc[back["covered"], "csm_id"].nunique() == 1


def test_in_the_world_of_poor_overlap_colleagues_stand_in_for_the_surest_accounts() -> None:
    reps = tables("O")["reps"]
    left = reps.loc[(reps["left_on"] > OPENS) & (reps["left_on"] < "2026-03-01"), ["rep_id", "left_on"]]
    panel = draw("O").panel
    kept = []
    for rep_id, left_on in left.itertuples(index=False):
        month = MONTHS.index(day_after(pd.Series([left_on]))[0])
        last = panel[(panel["csm_id"] == rep_id) & (panel["month"] == month - 1)]["account_id"]
        kept.append(
            panel[panel["account_id"].isin(last) & (panel["month"] == month)].nlargest(15, "mrr")["covered"].mean()
        )
    assert np.mean(kept) > 0.75  # in the other worlds it is 0


# --- the tables -----------------------------------------------------------------------------------------------


def test_the_panel_has_one_row_per_account_and_month_until_it_leaves() -> None:
    panel = draw("A").panel
    assert list(panel.columns) == [
        "account_id", "month", "month_start", "mrr", "log_mrr", "tenure_months", "health", "covered", "csm_id",
        "touches", "late_payment", "coverage_starts_next_quarter", "churned",
    ]  # fmt: skip
    by_account = panel.groupby("account_id")
    assert by_account.ngroups == 2000
    assert (by_account["month"].min() == 0).all()
    assert (by_account["month"].max() + 1 == by_account.size()).all()
    last = panel["month"] == by_account["month"].transform("max")
    assert not panel.loc[~last, "churned"].any()
    assert (panel.loc[last & ~panel["churned"], "month"] == 23).all()
    assert (panel["month_start"].dt.strftime("%Y-%m-%d") == panel["month"].map(lambda m: MONTHS[m])).all()
    assert (panel["covered"] == (panel["csm_id"] != "")).all()
    assert panel["log_mrr"].to_numpy() == pytest.approx(np.log(panel["mrr"]))
    assert (panel["tenure_months"] - panel["month"] == by_account["tenure_months"].transform("min")).all()
    assert not panel.isna().any().any()


@pytest.mark.parametrize("world", ["A", "O", "UN"])
def test_tables_have_contract_columns_unique_keys_and_no_orphans(world: str) -> None:
    shown = tables(world)
    assert {name: " ".join(table.columns) for name, table in shown.items()} == CONTRACT
    keys = {
        "accounts": ["account_id"], "subscriptions": ["subscription_id"], "tickets": ["ticket_id"], "reps": ["rep_id"],
        "assignments": ["account_id", "rep_id", "start_date"], "costs": ["month", "item", "function"],
    }  # fmt: skip
    for name, key in keys.items():
        assert not shown[name].duplicated(key).any(), name
    for name, table in shown.items():
        assert len(table) > 0 and not table.isna().any().any(), name
        if "account_id" in table:
            assert table["account_id"].isin(shown["accounts"]["account_id"]).all(), name
        if "rep_id" in table:
            assert table["rep_id"].isin(shown["reps"]["rep_id"]).all(), name
    managers = shown["reps"].loc[shown["reps"]["role"] == "manager", "rep_id"]
    assert shown["reps"].loc[shown["reps"]["role"] == "csm", "manager_id"].isin(managers).all()
    assert len(shown["subscriptions"]) == len(shown["accounts"]) == 2000
    assert shown["touches"]["kind"].isin(["qbr", "check_in", "training", "escalation", "other"]).all()


@pytest.mark.parametrize("world", ["A", "O"])
def test_periods_run_forwards_and_lie_inside_each_other(world: str) -> None:
    shown = tables(world)
    paid = shown["subscriptions"].set_index("account_id").replace({"end_date": ""}, {"end_date": "9999-12-31"})
    assert (paid["start_date"] <= OPENS).all()
    assert ((paid["end_date"] > OPENS) & ((paid["end_date"] <= CLOSES) | (paid["end_date"] == "9999-12-31"))).all()
    assert (paid["mrr"].astype(float) > 0).all()
    rows = shown["assignments"].assign(end=shown["assignments"]["end_date"].replace("", "9999-12-31"))
    rows = rows.merge(paid.add_prefix("paid_"), left_on="account_id", right_index=True)
    rows = rows.merge(shown["reps"].set_index("rep_id"), left_on="rep_id", right_index=True)
    assert (rows["start_date"] < rows["end"]).all()
    assert (rows["end"] > OPENS).all()
    assert (rows["start_date"] >= rows["paid_start_date"]).all() and (rows["end"] <= rows["paid_end_date"]).all()
    assert (rows["start_date"] >= rows["hired_on"]).all()
    gone = rows[rows["left_on"] != ""]
    assert (gone["end"] <= day_after(gone["left_on"])).all()
    ordered = rows.sort_values(["account_id", "start_date"])
    assert (ordered["start_date"] >= ordered.groupby("account_id")["end"].shift().fillna("")).all()


def test_events_lie_inside_paid_time_and_touches_inside_the_csms_assignment() -> None:
    shown = tables()
    paid = shown["subscriptions"].set_index("account_id")
    for name, column in (("usage", "occurred_at"), ("touches", "occurred_at"), ("tickets", "opened_at")):
        rows = shown[name].merge(paid, left_on="account_id", right_index=True)
        day = rows[column].str[:10]
        assert rows[column].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
        assert (day >= OPENS).all() and (day < CLOSES).all()
        assert ((day >= rows["start_date"]) & ((rows["end_date"] == "") | (day < rows["end_date"]))).all(), name
    touches = shown["touches"].reset_index().merge(shown["assignments"], on=["account_id", "rep_id"])
    day = touches["occurred_at"].str[:10]
    inside = (day >= touches["start_date"]) & ((touches["end_date"] == "") | (day < touches["end_date"]))
    assert inside.groupby(touches["index"]).sum().eq(1).all()
    assert touches["index"].nunique() == len(shown["touches"])
    assert (shown["touches"]["hours"].astype(float) > 0).all()


@pytest.mark.parametrize("world", ["A", "O"])
def test_the_panel_can_be_rebuilt_from_the_tables(world: str) -> None:
    shown = tables(world)
    panel = draw(world).panel.set_index(["account_id", "month"])
    usage = shown["usage"].assign(month=shown["usage"]["occurred_at"].str[:8].add("01").map(MONTHS.index))
    health = 2 * np.log(usage.set_index(["account_id", "month"])["quantity"].astype(float) / 1000)
    assert health.index.equals(panel.index)
    assert np.abs(health - panel["health"]).max() < 0.02
    assert (usage["occurred_at"].str[8:10].astype(int) <= 2).all()

    rows = shown["assignments"]
    begin = rows["start_date"].clip(lower=OPENS).map(MONTHS.index)
    length = rows["end_date"].replace("", CLOSES).map(MONTHS.index) - begin
    each = rows.loc[rows.index.repeat(length)]
    month = begin.repeat(length) + each.groupby(level=0).cumcount()
    csm = pd.Series(each["rep_id"].to_numpy(), [each["account_id"], month.rename("month")])
    csm = csm.reindex(panel.index, fill_value="")
    assert length.sum() == panel["covered"].sum()
    assert (csm == panel["csm_id"]).all()

    for name, column, wanted in (("touches", "occurred_at", "touches"), ("tickets", "opened_at", "late_payment")):
        month = shown[name][column].str[:8].add("01").map(MONTHS.index).rename("month")
        count = shown[name].groupby(["account_id", month]).size().reindex(panel.index, fill_value=0)
        assert (count == panel[wanted].astype(int)).all(), name

    ends = shown["subscriptions"].loc[lambda s: s["end_date"] != ""]
    left = {(a, MONTHS.index(e) - 1) for a, e in zip(ends["account_id"], ends["end_date"], strict=True)}
    assert left == set(panel.index[panel["churned"]])
    start = pd.to_datetime(shown["subscriptions"].set_index("account_id")["start_date"])
    tenure = (2024 - start.dt.year) * 12 + 7 - start.dt.month
    assert (tenure == panel["tenure_months"].xs(0, level="month")).all()
    mrr = shown["subscriptions"].set_index("account_id")["mrr"].astype(float)
    assert (mrr == panel["mrr"].xs(0, level="month")).all()


def test_costs_are_the_pay_of_those_who_were_there_and_their_software() -> None:
    reps, costs = tables()["reps"], tables()["costs"]
    assert list(costs["month"].unique()) == MONTHS[:-1]
    month = MONTHS[14]
    there = reps[(reps["hired_on"] <= month) & ((reps["left_on"] == "") | (reps["left_on"] > month))]
    amount = costs.set_index(["month", "item"])["amount"].astype(float)
    assert amount[month, "pay"] == pytest.approx(there["annual_cost"].astype(float).sum() / 12, abs=0.01)
    assert amount[month, "software"] == 25 * 190
    assert 3 + 20 <= len(there) <= 3 + 25


# --- writing --------------------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_bytes_and_others_do_not(tmp_path: Path) -> None:
    written = [worlds.write(tmp_path / name, "U", 60, 8, 5) for name in ("one", "two")]
    assert [[path.name for path in paths] for paths in written] == [FILES, FILES]
    for one, two in zip(*written, strict=True):
        assert one.read_bytes() == two.read_bytes()
    for changed in (("UN", 60, 8, 5), ("U", 60, 8, 6)):
        other = worlds.write(tmp_path / f"{changed[0]}{changed[3]}", *changed)
        assert other[0].read_bytes() != written[0][0].read_bytes()  # other accounts, not only other lives


def test_asking_for_the_tables_twice_gives_them_twice() -> None:
    once, again = draw("A", 40).tables(), draw("A", 40).tables()
    for name, table in once.items():
        pd.testing.assert_frame_equal(table, again[name])


def test_files_hold_the_tables_with_missing_as_empty(tmp_path: Path) -> None:
    worlds.write(tmp_path, "A", 80, 12, 3)
    for name, table in draw("A", 80, 12, 3).tables().items():
        read = pd.read_csv(tmp_path / f"{name}.csv", dtype=str, keep_default_na=False)
        pd.testing.assert_frame_equal(read, table.astype(str), check_dtype=False)


def test_the_mapping_says_what_the_contract_needs(tmp_path: Path) -> None:
    worlds.write(tmp_path, "UN", 5, 12)
    assert (tmp_path / "mapping.yml").read_text(encoding="utf-8").splitlines() == [
        "version: 1",
        "company: Simulated world UN",
        "currency: EUR",
        "timezone: UTC",
        "date_format: YYYY-MM-DD",
        "observed_from: 2025-07-01",
        "data_through: 2026-06-30",
    ]


def test_the_truth_file_says_what_was_drawn_and_how_to_read_it(tmp_path: Path) -> None:
    worlds.write(tmp_path, "I", 5)
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert truth["arguments"] == {"world": "I", "accounts": 5, "months": 24, "seed": 1}
    assert truth["parameters"]["churn_covered"] == -0.25
    assert truth["usage"]["function"] == "quantity = round(1000 * exp(0.5 * health))"
    assert set(truth["negative_controls"]) == {"late_payment", "coverage_starts_next_quarter"}
    assert truth["effect"] == draw("I").truth["effect"]
    named = " ".join(truth["equations"].values())
    parameters = set(truth["parameters"]) - {"stand_ins"}
    assert all(name in named for name in parameters)


def test_the_smallest_world_can_be_written(tmp_path: Path) -> None:
    assert len(worlds.write(tmp_path, "O", 1, 1)) == len(FILES)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"world": "NU"}, r"world is 'NU'.*Choose one of A \(default\), I"),
        ({"world": "un"}, "Did you mean 'UN'"),
        ({"world": None}, "world is None"),
        ({"accounts": 0}, "accounts is 0"),
        ({"accounts": 2.0}, "accounts is 2.0"),
        ({"accounts": True}, "accounts is True"),
        ({"months": -1}, "months is -1"),
        ({"months": 10_000}, "months is 10000"),
        ({"seed": -1}, "seed is -1"),
        ({"world": "Z", "accounts": 0, "months": 0, "seed": "x"}, "world is.*accounts is.*months is.*seed is"),
    ],
)
def test_arguments_that_make_no_world_are_refused_all_at_once(arguments: dict, named: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=f"(?s){named}"):
        worlds.write(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(ParameterError, match="is a file"):
        worlds.write(tmp_path / "taken", accounts=1, months=1)
    assert (tmp_path / "taken").read_text() == "x"
