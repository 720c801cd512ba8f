-- Support work by rep and month. Everything counts in the month in which it became known: contacts and waiting when
-- opened, the first response when given, the rest when resolved. So a past month never changes afterwards. Times are
-- to the second (UTC).
-- Exact quantiles: with n values, rank r from 0 and a quantile a/b, the value at r weighs b - |b r - a (n - 1)| parts
-- of b where that is positive; that is linear interpolation in whole numbers.
WITH opened AS (
    SELECT
        t.rep,
        t.opened_month AS month,
        COUNT(*) AS opened,
        SUM(CASE WHEN t.answered THEN 1 ELSE 0 END) AS answered,
        SUM(CASE WHEN NOT t.answered THEN 1 ELSE 0 END) AS abandoned,
        SUM(CASE WHEN t.answered AND t.wait_seconds <= q.target_seconds THEN 1 ELSE 0 END) AS answered_in_target,
        SUM(CASE WHEN NOT t.answered AND t.wait_seconds > q.target_seconds THEN 1 ELSE 0 END) AS abandoned_after_target,
        SUM(CASE WHEN t.answered AND t.wait_seconds IS NOT NULL THEN 1 ELSE 0 END) AS waits,
        SUM(CASE WHEN t.answered THEN t.wait_seconds END) AS wait_seconds
    FROM ticket_times t
    CROSS JOIN parameters q
    GROUP BY t.rep, t.opened_month
),
response_ranks AS (
    SELECT
        rep,
        responded_month AS month,
        responded_second - opened_second AS seconds,
        ROW_NUMBER() OVER (
            PARTITION BY rep, responded_month ORDER BY responded_second - opened_second, ticket_id
        ) - 1 AS place,
        COUNT(*) OVER (PARTITION BY rep, responded_month) - 1 AS last_place
    FROM ticket_times
    WHERE responded_month IS NOT NULL
),
responses AS (
    SELECT
        rep,
        month,
        COUNT(*) AS first_responses,
        CAST(SUM(CASE WHEN ABS(2 * place - last_place) < 2
            THEN (2 - ABS(2 * place - last_place)) * seconds ELSE 0 END) AS BIGINT) AS median_halves,
        CAST(SUM(CASE WHEN ABS(10 * place - 9 * last_place) < 10
            THEN (10 - ABS(10 * place - 9 * last_place)) * seconds ELSE 0 END) AS BIGINT) AS p90_tenths
    FROM response_ranks
    GROUP BY rep, month
),
resolution_ranks AS (
    SELECT
        rep,
        resolved_month AS month,
        resolved_day,
        contacts,
        reopened,
        escalated,
        handle_minutes,
        csat,
        ces,
        resolved_second - opened_second AS seconds,
        ROW_NUMBER() OVER (
            PARTITION BY rep, resolved_month ORDER BY resolved_second - opened_second, ticket_id
        ) - 1 AS place,
        COUNT(*) OVER (PARTITION BY rep, resolved_month) - 1 AS last_place
    FROM ticket_times
    WHERE resolved_month IS NOT NULL
),
resolutions AS (
    SELECT
        rep,
        month,
        COUNT(*) AS resolved,
        COUNT(DISTINCT resolved_day) AS days_with_closures,
        CAST(SUM(CASE WHEN ABS(2 * place - last_place) < 2
            THEN (2 - ABS(2 * place - last_place)) * seconds ELSE 0 END) AS BIGINT) AS median_halves,
        CAST(SUM(CASE WHEN ABS(10 * place - 9 * last_place) < 10
            THEN (10 - ABS(10 * place - 9 * last_place)) * seconds ELSE 0 END) AS BIGINT) AS p90_tenths,
        COUNT(handle_minutes) AS handled,
        SUM(handle_minutes) AS handle_minutes,
        COUNT(csat) AS csat_answers,
        SUM(CASE WHEN csat >= 4 THEN 1 ELSE 0 END) AS csat_top2,
        COUNT(ces) AS ces_answers,
        SUM(CASE WHEN ces >= 5 THEN 1 ELSE 0 END) AS ces_top3,
        SUM(ces) AS ces_sum,
        COUNT(reopened) AS reopened_known,
        SUM(CASE WHEN reopened THEN 1 ELSE 0 END) AS reopened,
        COUNT(escalated) AS escalated_known,
        SUM(CASE WHEN escalated THEN 1 ELSE 0 END) AS escalated
    FROM resolution_ranks
    GROUP BY rep, month
),
shown AS (
    SELECT rep, month FROM opened
    UNION
    SELECT rep, month FROM responses
    UNION
    SELECT rep, month FROM resolutions
)
SELECT
    NULLIF(s.rep, '') AS rep_id,
    s.month,
    COALESCE(o.opened, 0) AS opened,
    CAST(COALESCE(o.answered, 0) AS BIGINT) AS answered,
    CAST(COALESCE(o.abandoned, 0) AS BIGINT) AS abandoned,
    CAST(COALESCE(o.answered_in_target, 0) AS BIGINT) AS answered_in_target,
    CAST(COALESCE(o.abandoned_after_target, 0) AS BIGINT) AS abandoned_after_target,
    CAST(COALESCE(o.waits, 0) AS BIGINT) AS waits,
    COALESCE(o.wait_seconds, 0) AS wait_seconds,
    o.wait_seconds / NULLIF(o.waits, 0) AS asa_seconds,
    COALESCE(f.first_responses, 0) AS first_responses,
    f.median_halves * q.one / 120 AS first_response_median_minutes,
    f.p90_tenths * q.one / 600 AS first_response_p90_minutes,
    COALESCE(r.resolved, 0) AS resolved,
    COALESCE(r.days_with_closures, 0) AS days_with_closures,
    r.median_halves * q.one / 120 AS resolution_median_minutes,
    r.p90_tenths * q.one / 600 AS resolution_p90_minutes,
    COALESCE(r.handled, 0) AS handled,
    COALESCE(r.handle_minutes, 0) AS handle_minutes,
    COALESCE(r.csat_answers, 0) AS csat_answers,
    CAST(COALESCE(r.csat_top2, 0) AS BIGINT) AS csat_top2,
    COALESCE(r.ces_answers, 0) AS ces_answers,
    CAST(COALESCE(r.ces_top3, 0) AS BIGINT) AS ces_top3,
    COALESCE(r.ces_sum, 0) AS ces_sum,
    COALESCE(r.reopened_known, 0) AS reopened_known,
    CAST(COALESCE(r.reopened, 0) AS BIGINT) AS reopened,
    COALESCE(r.escalated_known, 0) AS escalated_known,
    CAST(COALESCE(r.escalated, 0) AS BIGINT) AS escalated
FROM shown s
CROSS JOIN parameters q
LEFT JOIN opened o ON o.rep = s.rep AND o.month = s.month
LEFT JOIN responses f ON f.rep = s.rep AND f.month = s.month
LEFT JOIN resolutions r ON r.rep = s.rep AND r.month = s.month
