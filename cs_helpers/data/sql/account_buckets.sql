-- Accounts numbered, and dealt into buckets of neighbours, so that a big table can be rolled up one bucket at a time:
-- an engine that keeps the smallest and largest key of a join can skip the rest while it reads.
SELECT
    a.account_id,
    a.place,
    CAST(FLOOR(a.place * q.one * q.buckets / a.accounts) AS BIGINT) AS bucket
FROM (
    SELECT account_id, ROW_NUMBER() OVER (ORDER BY account_id) - 1 AS place, COUNT(*) OVER () AS accounts
    FROM accounts
) a
CROSS JOIN parameters q
