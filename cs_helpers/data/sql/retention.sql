-- The opening cohort of a window: what each account paid on the eve of its start and on the eve of its end.
-- A month that was never loaded looks like one in which every account left: check movements first.
SELECT
    o.account_id,
    o.mrr_cents AS opening,
    COALESCE(c.mrr_cents, 0) AS closing,
    CASE WHEN COALESCE(c.mrr_cents, 0) < o.mrr_cents THEN COALESCE(c.mrr_cents, 0) ELSE o.mrr_cents END AS retained
FROM parameters q
INNER JOIN paid_periods o
    ON o.start_date < q.start_day AND (o.end_date IS NULL OR o.end_date >= q.start_day)
LEFT JOIN paid_periods c
    ON c.account_id = o.account_id
    AND c.start_date < q.end_day AND (c.end_date IS NULL OR c.end_date >= q.end_day)
