-- Spells counted: those of equal age, equal age on entry and equal fate are one row. Survival curves need no more;
-- weighted ones take the sum of the MRR on entry and the sum of its squares (a double: cents squared outgrow BIGINT).
SELECT
    g.attribute,
    s.duration_months,
    s.entry_months,
    s.churned,
    COUNT(*) AS spells,
    CAST(SUM(s.mrr_cents) AS BIGINT) AS mrr,
    SUM(s.mrr_cents * q.one * s.mrr_cents) AS mrr_squares
FROM spells s
CROSS JOIN parameters q
LEFT JOIN account_groups g ON g.account_id = s.account_id
GROUP BY g.attribute, s.duration_months, s.entry_months, s.churned
