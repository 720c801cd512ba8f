-- Unbroken paid time: a change of price does not end a spell, a gap does, and a return is a new spell at age 0. Those
-- that ended before observed_from are left out, because the data do not hold all of them. Columns are those that a
-- survival analysis needs: age when last seen, whether it ended, age when it came under observation, MRR then. Ages are
-- whole calendar months plus thirty-firsts: exactly whole on the monthly anniversaries, of which a shorter month has
-- its last day. A spell still running was last seen on the eve of as_of.
WITH seen AS (
    SELECT
        s.account_id,
        s.start_date,
        CASE WHEN s.end_date < q.as_of THEN s.end_date ELSE q.eve END AS last_date,
        CASE WHEN s.end_date < q.as_of THEN TRUE ELSE FALSE END AS churned,
        CASE WHEN s.start_date > q.observed_from THEN s.start_date ELSE q.observed_from END AS entry_date
    FROM paid_spells s
    CROSS JOIN parameters q
    WHERE s.start_date < q.as_of
),
counted AS (
    SELECT
        account_id,
        start_date,
        churned,
        entry_date,
        CAST(EXTRACT(YEAR FROM start_date) * 12 + EXTRACT(MONTH FROM start_date) - 1 AS BIGINT) AS start_index,
        CAST(EXTRACT(DAY FROM start_date) AS BIGINT) AS start_dom,
        CAST(EXTRACT(YEAR FROM last_date) * 12 + EXTRACT(MONTH FROM last_date) - 1 AS BIGINT) AS last_index,
        CAST(EXTRACT(DAY FROM last_date) AS BIGINT) AS last_dom,
        CAST(EXTRACT(YEAR FROM entry_date) * 12 + EXTRACT(MONTH FROM entry_date) - 1 AS BIGINT) AS entry_index,
        CAST(EXTRACT(DAY FROM entry_date) AS BIGINT) AS entry_dom
    FROM seen
),
aged AS (
    SELECT
        k.account_id,
        k.start_date,
        k.churned,
        k.entry_date,
        k.last_index - k.start_index AS whole_months,
        k.last_dom - CASE WHEN k.start_dom < l.days THEN k.start_dom ELSE l.days END AS more_days,
        k.entry_index - k.start_index AS entry_whole_months,
        k.entry_dom - CASE WHEN k.start_dom < e.days THEN k.start_dom ELSE e.days END AS entry_more_days
    FROM counted k
    INNER JOIN calendar_months l ON l.month_index = k.last_index
    INNER JOIN calendar_months e ON e.month_index = k.entry_index
)
SELECT
    a.account_id,
    a.start_date,
    a.whole_months + a.more_days * q.one / 31 AS duration_months,
    a.churned,
    a.entry_whole_months + a.entry_more_days * q.one / 31 AS entry_months,
    p.mrr_cents
FROM aged a
INNER JOIN paid_periods p
    ON p.account_id = a.account_id
    AND p.start_date <= a.entry_date AND (p.end_date IS NULL OR p.end_date > a.entry_date)
CROSS JOIN parameters q
WHERE a.whole_months * 31 + a.more_days > a.entry_whole_months * 31 + a.entry_more_days
