-- What became known about each account in each calendar month. A ticket counts when it is opened; whether it was
-- escalated and how satisfied the customer was counts when it is resolved, a survey when it is answered, a touch when
-- it happens: a past month never changes. Rows of nobody, and moments outside the calendar, are left out.
WITH opened AS (
    SELECT
        account_id,
        CAST(EXTRACT(YEAR FROM opened_at) * 12 + EXTRACT(MONTH FROM opened_at) - 1 AS BIGINT) AS month_index,
        COUNT(*) AS tickets
    FROM tickets
    WHERE account_id IS NOT NULL
    GROUP BY account_id, CAST(EXTRACT(YEAR FROM opened_at) * 12 + EXTRACT(MONTH FROM opened_at) - 1 AS BIGINT)
),
resolved AS (
    SELECT
        account_id,
        CAST(EXTRACT(YEAR FROM resolved_at) * 12 + EXTRACT(MONTH FROM resolved_at) - 1 AS BIGINT) AS month_index,
        CAST(SUM(CASE WHEN escalated THEN 1 ELSE 0 END) AS BIGINT) AS escalated,
        SUM(csat) AS csat_sum,
        COUNT(csat) AS csat_answers
    FROM tickets
    WHERE account_id IS NOT NULL AND resolved_at IS NOT NULL
    GROUP BY account_id, CAST(EXTRACT(YEAR FROM resolved_at) * 12 + EXTRACT(MONTH FROM resolved_at) - 1 AS BIGINT)
),
asked AS (
    SELECT
        account_id,
        CAST(EXTRACT(YEAR FROM answered_at) * 12 + EXTRACT(MONTH FROM answered_at) - 1 AS BIGINT) AS month_index,
        SUM(score) AS nps_sum,
        COUNT(*) AS nps_answers
    FROM surveys
    WHERE account_id IS NOT NULL AND answered_at IS NOT NULL AND kind = 'nps' AND score IS NOT NULL
    GROUP BY account_id, CAST(EXTRACT(YEAR FROM answered_at) * 12 + EXTRACT(MONTH FROM answered_at) - 1 AS BIGINT)
),
touched AS (
    SELECT
        account_id,
        CAST(EXTRACT(YEAR FROM occurred_at) * 12 + EXTRACT(MONTH FROM occurred_at) - 1 AS BIGINT) AS month_index,
        COUNT(*) AS touches,
        CAST(SUM(CASE WHEN kind = 'qbr' THEN 1 ELSE 0 END) AS BIGINT) AS qbrs,
        SUM(hours) AS touch_hours
    FROM touches
    GROUP BY account_id, CAST(EXTRACT(YEAR FROM occurred_at) * 12 + EXTRACT(MONTH FROM occurred_at) - 1 AS BIGINT)
),
named AS (
    SELECT account_id, month_index FROM opened
    UNION
    SELECT account_id, month_index FROM resolved
    UNION
    SELECT account_id, month_index FROM asked
    UNION
    SELECT account_id, month_index FROM touched
)
SELECT
    n.account_id,
    c.first_day AS month,
    COALESCE(o.tickets, 0) AS tickets,
    COALESCE(r.escalated, 0) AS escalated,
    COALESCE(r.csat_sum, 0) AS csat_sum,
    COALESCE(r.csat_answers, 0) AS csat_answers,
    COALESCE(a.nps_sum, 0) AS nps_sum,
    COALESCE(a.nps_answers, 0) AS nps_answers,
    COALESCE(t.touches, 0) AS touches,
    COALESCE(t.qbrs, 0) AS qbrs,
    CASE WHEN t.touches IS NULL THEN 0 ELSE t.touch_hours END AS touch_hours
FROM named n
INNER JOIN calendar_months c ON c.month_index = n.month_index
LEFT JOIN opened o ON o.account_id = n.account_id AND o.month_index = n.month_index
LEFT JOIN resolved r ON r.account_id = n.account_id AND r.month_index = n.month_index
LEFT JOIN asked a ON a.account_id = n.account_id AND a.month_index = n.month_index
LEFT JOIN touched t ON t.account_id = n.account_id AND t.month_index = n.month_index
