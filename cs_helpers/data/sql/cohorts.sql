-- Start cohorts by age: how many accounts, and how much MRR, were left k months after each account's own first paid
-- day (its monthly anniversary; the last day of a shorter month). calendar_cohorts holds only the cells that could be
-- seen for the whole cohort. The row without a cohort counts the accounts that started before the data did.
-- Dates are compared as month_index * 32 + day of month, which grows with the date; a 31st that a month lacks lies
-- after its last day and before the next month, which is where it belongs.
WITH keyed AS (
    SELECT
        account_id,
        start_date,
        mrr_cents,
        CAST(EXTRACT(YEAR FROM start_date) * 12 + EXTRACT(MONTH FROM start_date) - 1 AS BIGINT) AS start_index,
        CAST(EXTRACT(DAY FROM start_date) AS BIGINT) AS start_dom,
        CAST(EXTRACT(YEAR FROM end_date) * 12 + EXTRACT(MONTH FROM end_date) - 1 AS BIGINT) * 32
            + CAST(EXTRACT(DAY FROM end_date) AS BIGINT) AS end_key
    FROM paid_periods
),
ranked AS (
    SELECT
        account_id,
        start_date,
        start_index,
        start_dom,
        mrr_cents,
        ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY start_date) AS place
    FROM keyed
),
cells AS (
    SELECT
        f.account_id,
        c.cohort,
        c.cohort_months,
        c.age_months,
        f.mrr_cents AS starting,
        (f.start_index + c.age_months) * 32 + f.start_dom AS at_key
    FROM ranked f
    CROSS JOIN parameters q
    INNER JOIN calendar_cohorts c ON f.start_index >= c.first_index AND f.start_index <= c.last_index
    WHERE f.place = 1 AND f.start_date >= q.observed_from AND f.start_date < q.as_of
)
SELECT
    x.cohort,
    x.age_months,
    x.cohort_months,
    COUNT(*) AS accounts,
    COUNT(p.account_id) AS alive,
    CAST(SUM(x.starting) AS BIGINT) AS starting,
    CAST(COALESCE(SUM(p.mrr_cents), 0) AS BIGINT) AS mrr
FROM cells x
LEFT JOIN keyed p
    ON p.account_id = x.account_id
    AND p.start_index * 32 + p.start_dom <= x.at_key AND (p.end_key IS NULL OR x.at_key < p.end_key)
GROUP BY x.cohort, x.age_months, x.cohort_months
UNION ALL
SELECT
    CAST(NULL AS DATE),
    CAST(NULL AS BIGINT),
    q.cohort_months,
    COUNT(*),
    CAST(NULL AS BIGINT),
    CAST(SUM(f.mrr_cents) AS BIGINT),
    CAST(NULL AS BIGINT)
FROM ranked f
CROSS JOIN parameters q
WHERE f.place = 1 AND f.start_date < q.observed_from
GROUP BY q.cohort_months
