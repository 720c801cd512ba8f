"""Departures of CSMs as natural experiments: accounts that lose coverage for a reason that is not their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cs_helpers.core.stats.clusters import clustered_covariance, student_quantile, two_sided_p
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, with_ones
from cs_helpers.roi.association import Hazards, hazards, kept_shares, odds_ratios
from cs_helpers.roi.effect_evidence import Evidence, refused
from cs_helpers.roi.trial import Trial

KEY = "vacancy"
BEFORE, AFTER = 3, 3  # event months -3..-1 and 0..2
MIN_PORTFOLIO = 3  # accounts
MIN_DEPARTURES, MIN_EVENTS = 6, 10
FLAT = 0.05  # a pre-trend with a smaller p is not flat
MAX_KEPT = 0.5  # of a portfolio may be covered by others in the first month: more is a handover
MIN_EXCESS = 0.5  # share of vacant months without cover, beyond that of the others


def vacancy(trial: Trial, horizon: int) -> Evidence:
    """Points of survival from portfolios whose CSM left, against portfolios whose CSM stayed.

        logit P(churned in a month) = curves of health, log MRR, tenure + calendar month + a before + b vacant
        odds ratio of a month without cover = exp(b / (share uncovered in the vacancy - the same of the others))
        value = 100 mean over followed accounts of Y (1 - R),  R = prod over covered months t < H of (1 - without) /
                (1 - hazard), hazard: fitted as in ``association``, without: at odds times that odds ratio

    A CSM has left at the end of its last covered month if that is before the window's last month. Its portfolio is the
    accounts it covered three months before the vacancy began (event month -3), at least 3 of them; ``before`` marks
    their event months -3 to -1, ``vacant`` 0 to 2. The others are the accounts that CSMs who stayed through those
    months covered in event month -3, in the same calendar months. Departures after which half of the portfolio or more
    stays covered are handovers, and left out. Clustered by the CSM at event month -3, t with departures - 1 degrees of
    freedom, the error never below the one by account. Unrecorded traits of accounts do not bias it as long as CSMs do
    not leave because of them: before the departure the portfolios must churn as the others do. Health is held as it is,
    so the figure leaves out what works through health over time. ``detail``: departures, book_accounts, vacant_months,
    vacant_churned, odds_ratio with _low and _high (of a month without cover), log_odds_ratio, log_odds_ratio_se,
    before_log_odds_ratio, before_p, uncovered_share, uncovered_share_others. Unknown health: see ``adjustment``.
    Refused where no account is followed, CSMs are not named, with fewer than 6 departures or fewer than 10 churned in
    the vacancies, less than half more of the months without cover than elsewhere, or where the portfolios churned
    differently (p < .05) before the departure. Source: event studies with stacked clean controls, Cengiz et al. 2019;
    t(G - 1): Cameron & Miller 2015.
    """
    if late := trial.too_late(horizon):
        return refused(KEY, trial, horizon, late)
    if not (trial.rows["csm"] != "").any():
        reason = "it is not recorded who covered the accounts, so that nobody is seen to leave"
        return refused(KEY, trial, horizon, reason)
    with one_thread():
        rows, departures = _events(trial)
        vacant = rows["vacant"].to_numpy(bool)
        detail: dict[str, float] = {
            "departures": departures,
            "book_accounts": int(rows.loc[rows["before"] | vacant, "account"].nunique()),
            "vacant_months": int(vacant.sum()),
            "vacant_churned": int((vacant & rows["churned"].to_numpy(bool)).sum()),
        }
        reason = _too_few(detail)
        if not reason:
            detail |= _fitted(rows, departures)
            reason = _not_comparable(detail)
        if reason:
            return refused(KEY, trial, horizon, reason, detail)
        columns = adjustment(trial.rows, ("month",)).columns(trial.rows)
        model = hazards(trial, trial.rows["covered"].to_numpy(float), columns)
        b, se = detail["log_odds_ratio"], detail["log_odds_ratio_se"]
        reach = student_quantile(departures - 1) * se
        value, low, high = (_points(trial, horizon, model, each) for each in (b, b - reach, b + reach))
        slope = (_points(trial, horizon, model, b + 0.01) - _points(trial, horizon, model, b - 0.01)) / 0.02
    detail |= odds_ratios(b, reach)
    counts = trial.counts(horizon)
    return Evidence(KEY, horizon, value, low, high, abs(slope) * se, "shown", "", **counts, detail=detail)


def _too_few(detail: dict[str, float]) -> str:
    departures, churned = int(detail["departures"]), int(detail["vacant_churned"])
    if departures >= MIN_DEPARTURES and churned >= MIN_EVENTS:
        return ""
    return (
        f"{departures} CSM departures left a book of {MIN_PORTFOLIO} or more accounts uncovered, and {churned} of the "
        f"accounts left in those months; {MIN_DEPARTURES} departures and {MIN_EVENTS} that left are needed"
    )


def _not_comparable(found: dict[str, float]) -> str:
    share, others = found["uncovered_share"], found["uncovered_share_others"]
    if share - others < MIN_EXCESS:
        return (
            f"{share:.0%} of the months after a departure were without cover, and {others:.0%} of the other books' "
            "months: too small a difference to learn from"
        )
    if found["before_p"] < FLAT:
        ratio = np.exp(found["before_log_odds_ratio"])
        return (
            f"in the three months before the departures the odds of leaving in these books were {ratio:.2f} times "
            f"those of other books (p = {found['before_p']:.3f}): the books differed before anybody left"
        )
    return ""


def _events(trial: Trial) -> tuple[pd.DataFrame, int]:
    """Account-months of portfolios whose CSM left and of the others they are compared with, and how many CSMs left.

    The rows with before, vacant (flags of the portfolios of CSMs who leave), times (in how many departures the month
    counts) and cluster (the CSM at event month -3).
    """
    rows = trial.rows
    months, accounts = trial.months, len(trial.accounts)
    place = np.full((accounts, months), -1)
    account, month = rows["account"].to_numpy(), rows["month"].to_numpy()
    place[account, month] = np.arange(len(rows))
    code, names = pd.factorize(rows["csm"].to_numpy())
    person = np.where(rows["csm"].to_numpy() == "", -1, code)
    covered = rows["covered"].to_numpy()
    last = np.full(len(names), -1)
    np.maximum.at(last, person[person >= 0], month[person >= 0])
    vacant, before = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    times = np.zeros(len(rows), np.int64)
    cluster = np.full(len(rows), -1)
    departures = 0
    for leaver in np.flatnonzero((last >= 0) & (last < months - 1)):
        start = last[leaver] + 1
        base = start - BEFORE
        if base < 0:
            continue
        at_base = place[:, base]
        theirs = np.where(at_base >= 0, person[at_base], -1)
        portfolio = theirs == leaver
        first = place[portfolio, start]
        first = first[first >= 0]
        if portfolio.sum() < MIN_PORTFOLIO or not len(first) or covered[first].mean() >= MAX_KEPT:
            continue
        departures += 1
        # Clean others: their CSM does not leave between event month -3 and the end of the vacancy.
        stays = (last >= start + AFTER) | (last == months - 1)
        others = (theirs >= 0) & ~portfolio & stays[theirs]
        for event_month in range(-BEFORE, min(AFTER, months - start)):
            at = place[:, start + event_month]
            of_portfolio, of_others = at[portfolio & (at >= 0)], at[others & (at >= 0)]
            (vacant if event_month >= 0 else before)[of_portfolio] = True
            times[of_portfolio] += 1
            times[of_others] += 1
            unset = cluster[of_others] < 0
            cluster[of_others[unset]] = theirs[others & (at >= 0)][unset]
            cluster[of_portfolio] = leaver
    kept = times > 0
    before &= ~vacant
    found = rows[kept].assign(vacant=vacant[kept], before=before[kept], times=times[kept], cluster=cluster[kept])
    # A month of one leaver's portfolio that is among the others of another departure counts as the portfolio's.
    found["times"] = np.where(found["vacant"] | found["before"], 1, found["times"])
    found["cluster"] = pd.factorize(found["cluster"].to_numpy())[0]
    return found, departures


def _fitted(rows: pd.DataFrame, departures: int) -> dict[str, float]:
    # Months in which no account left are excluded: their own level would be minus infinity.
    rows = rows[rows.groupby("month")["churned"].transform("any")]
    vacant, before = rows["vacant"].to_numpy(float), rows["before"].to_numpy(float)
    weights, y = rows["times"].to_numpy(float), rows["churned"].to_numpy(float)
    calendar = pd.get_dummies(rows["month"], drop_first=True).to_numpy(float)
    x = with_ones(adjustment(rows).columns(rows), calendar, before, vacant)
    fit = logistic(x, y, weights)
    residuals = weights * (y - probability_of(x @ fit.coefficients))
    variances = []
    for name in ("cluster", "account"):
        which, count = rows[name].to_numpy(), int(rows[name].max()) + 1
        covariance = clustered_covariance(x, residuals, fit.covariance, which, count)
        variances.append(np.diag(covariance)[-2:])
    # With few CSMs the standard error by CSM can be too small by chance, so it is never below the one by account.
    (a, b), (a_se, b_se) = fit.coefficients[-2:], np.sqrt(np.maximum(*variances))
    without = ~rows["covered"].to_numpy()
    share = float(without[vacant == 1].mean())
    other = (vacant == 0) & (before == 0)
    others = float(np.average(without[other], weights=weights[other])) if other.any() else 0.0
    excess = max(share - others, MIN_EXCESS)  # below it the evidence is refused
    return {
        "log_odds_ratio": float(b) / excess,
        "log_odds_ratio_se": float(b_se) / excess,
        "before_log_odds_ratio": float(a),
        "before_p": two_sided_p(float(a / a_se), departures - 1) if a_se > 0 else 1.0,
        "uncovered_share": share,
        "uncovered_share_others": others,
    }


def _points(trial: Trial, horizon: int, model: Hazards, log_odds_ratio: float) -> float:
    covered = trial.rows["covered"].to_numpy()
    odds = model.hazard / (1 - model.hazard) * np.where(covered, np.exp(log_odds_ratio), 1.0)
    return 100 * float(kept_shares(trial, horizon, model.hazard, odds / (1 + odds)).mean())
