-- Accounts dealt into buckets of equal size, so that a big table can be rolled up one bucket at a time.
SELECT
    a.account_id,
    a.place % q.buckets AS bucket
FROM (SELECT account_id, ROW_NUMBER() OVER (ORDER BY account_id) - 1 AS place FROM accounts) a
CROSS JOIN parameters q
