-- Opening MRR, movements and closing MRR of each account in each calendar month, in cents.
-- An opening holds what was paid on the eve of the month; what happens on its first day belongs to the month.
-- opening + new + expansion + reactivation - contraction - churn = closing in every row, to the cent. A rise and a fall
-- on different days of a month are both kept. Unless dense, an account has a row only where it paid or moved.
WITH neighbours AS (
    SELECT
        account_id,
        start_date,
        end_date,
        mrr_cents,
        LAG(end_date) OVER (PARTITION BY account_id ORDER BY start_date) AS previous_end,
        LAG(mrr_cents) OVER (PARTITION BY account_id ORDER BY start_date) AS previous_cents,
        LEAD(start_date) OVER (PARTITION BY account_id ORDER BY start_date) AS next_start
    FROM paid_periods
),
changes AS (
    SELECT
        account_id,
        start_date AS day,
        CASE WHEN previous_end IS NULL THEN 1 ELSE 0 END AS is_first,
        CASE WHEN previous_end = start_date THEN previous_cents ELSE 0 END AS before_cents,
        mrr_cents AS after_cents
    FROM neighbours
    UNION ALL
    SELECT account_id, end_date AS day, 0 AS is_first, mrr_cents AS before_cents, 0 AS after_cents
    FROM neighbours
    WHERE end_date IS NOT NULL AND (next_start IS NULL OR next_start > end_date)
),
dated AS (
    SELECT
        account_id,
        CAST(EXTRACT(YEAR FROM day) * 12 + EXTRACT(MONTH FROM day) - 1 AS BIGINT) AS month_index,
        is_first,
        before_cents,
        after_cents
    FROM changes
),
parts AS (
    SELECT
        d.account_id,
        c.first_day AS month,
        0 AS opening,
        CASE WHEN d.is_first = 1 THEN d.after_cents ELSE 0 END AS new_cents,
        CASE WHEN d.before_cents > 0 AND d.after_cents > d.before_cents
            THEN d.after_cents - d.before_cents ELSE 0 END AS expansion,
        CASE WHEN d.is_first = 0 AND d.before_cents = 0 THEN d.after_cents ELSE 0 END AS reactivation,
        CASE WHEN d.after_cents > 0 AND d.after_cents < d.before_cents
            THEN d.before_cents - d.after_cents ELSE 0 END AS contraction,
        CASE WHEN d.after_cents = 0 THEN d.before_cents ELSE 0 END AS churn,
        0 AS closing
    FROM dated d
    INNER JOIN calendar_months c ON c.month_index = d.month_index
    UNION ALL
    SELECT p.account_id, c.first_day, p.mrr_cents, 0, 0, 0, 0, 0, 0
    FROM paid_periods p
    INNER JOIN calendar_months c
        ON p.start_date < c.first_day AND (p.end_date IS NULL OR p.end_date >= c.first_day)
    UNION ALL
    SELECT p.account_id, c.first_day, 0, 0, 0, 0, 0, 0, p.mrr_cents
    FROM paid_periods p
    INNER JOIN calendar_months c
        ON p.start_date < c.next_first_day AND (p.end_date IS NULL OR p.end_date >= c.next_first_day)
    UNION ALL
    SELECT a.account_id, c.first_day, 0, 0, 0, 0, 0, 0, 0
    FROM (SELECT DISTINCT account_id FROM paid_periods) a
    CROSS JOIN calendar_months c
    CROSS JOIN parameters q
    WHERE q.dense
)
SELECT
    account_id,
    month,
    CAST(SUM(opening) AS BIGINT) AS opening,
    CAST(SUM(new_cents) AS BIGINT) AS new,
    CAST(SUM(expansion) AS BIGINT) AS expansion,
    CAST(SUM(reactivation) AS BIGINT) AS reactivation,
    CAST(SUM(contraction) AS BIGINT) AS contraction,
    CAST(SUM(churn) AS BIGINT) AS churn,
    CAST(SUM(closing) AS BIGINT) AS closing
FROM parts
GROUP BY account_id, month
