-- The account-month panel summed by month: how recurring revenue moved, and how many accounts paid. A month in which no
-- account paid or moved has no row, unless dense.
SELECT
    month,
    CAST(SUM(opening) AS BIGINT) AS opening,
    CAST(SUM(new) AS BIGINT) AS new,
    CAST(SUM(expansion) AS BIGINT) AS expansion,
    CAST(SUM(reactivation) AS BIGINT) AS reactivation,
    CAST(SUM(contraction) AS BIGINT) AS contraction,
    CAST(SUM(churn) AS BIGINT) AS churn,
    CAST(SUM(closing) AS BIGINT) AS closing,
    CAST(SUM(CASE WHEN opening > 0 THEN 1 ELSE 0 END) AS BIGINT) AS opening_accounts,
    CAST(SUM(CASE WHEN closing > 0 THEN 1 ELSE 0 END) AS BIGINT) AS closing_accounts
FROM account_month
GROUP BY month
