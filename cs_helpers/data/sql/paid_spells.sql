-- Unbroken stretches of paid time: paid periods that touch are one spell, whatever their prices; a gap ends it.
WITH neighbours AS (
    SELECT
        account_id,
        start_date,
        end_date,
        LAG(end_date) OVER (PARTITION BY account_id ORDER BY start_date) AS previous_end
    FROM paid_periods
),
numbered AS (
    SELECT
        account_id,
        start_date,
        end_date,
        SUM(CASE WHEN previous_end = start_date THEN 0 ELSE 1 END) OVER (
            PARTITION BY account_id ORDER BY start_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS spell
    FROM neighbours
)
SELECT
    account_id,
    MIN(start_date) AS start_date,
    CASE WHEN COUNT(end_date) = COUNT(*) THEN MAX(end_date) END AS end_date
FROM numbered
GROUP BY account_id, spell
