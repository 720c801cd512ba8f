-- MRR of each account by period: subscriptions made disjoint, one row per account and unbroken stretch at one price.
-- Concurrent subscriptions are summed day by day, equal neighbours joined; without a price or a length nothing is paid.
WITH priced AS (
    SELECT account_id, start_date, end_date, mrr_cents
    FROM subscriptions
    WHERE mrr_cents > 0 AND (end_date IS NULL OR end_date > start_date)
),
steps AS (
    SELECT account_id, start_date AS day, mrr_cents AS step_cents FROM priced
    UNION ALL
    SELECT account_id, end_date AS day, -mrr_cents AS step_cents FROM priced WHERE end_date IS NOT NULL
),
changes AS (
    SELECT account_id, day, CAST(SUM(step_cents) AS BIGINT) AS step_cents
    FROM steps
    GROUP BY account_id, day
    HAVING SUM(step_cents) <> 0
),
levels AS (
    SELECT
        account_id,
        day AS start_date,
        LEAD(day) OVER (PARTITION BY account_id ORDER BY day) AS end_date,
        CAST(SUM(step_cents) OVER (
            PARTITION BY account_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS BIGINT) AS mrr_cents
    FROM changes
)
SELECT account_id, start_date, end_date, mrr_cents
FROM levels
WHERE mrr_cents > 0
