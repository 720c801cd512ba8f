-- First-contact resolution and repeat contacts by the rep and month of the resolution. A ticket is followed if the same
-- account opens another one of the same category after it and within so many days of its resolution (before it, too).
-- It is judged only once all those days have been seen, and if it has an account. First-contact resolution =
-- first_contact / judged, repeat-contact rate = followed / judged.
WITH ordered AS (
    SELECT
        rep,
        account_id,
        contacts,
        resolved_month,
        resolved_second,
        LEAD(opened_second) OVER (
            PARTITION BY account_id, category ORDER BY opened_second, ticket_id
        ) AS next_opened_second
    FROM ticket_times
),
marked AS (
    SELECT
        o.rep,
        o.resolved_month AS month,
        o.contacts,
        CASE WHEN o.account_id IS NULL THEN 1 ELSE 0 END AS without_account,
        CASE WHEN o.account_id IS NOT NULL AND o.resolved_second + q.days * 86400 < q.as_of_second
            THEN 1 ELSE 0 END AS judged,
        CASE WHEN o.next_opened_second <= o.resolved_second + q.days * 86400 THEN 1 ELSE 0 END AS followed
    FROM ordered o
    CROSS JOIN parameters q
    WHERE o.resolved_month IS NOT NULL
)
SELECT
    NULLIF(rep, '') AS rep_id,
    month,
    COUNT(*) AS resolved,
    CAST(SUM(without_account) AS BIGINT) AS without_account,
    CAST(SUM(judged) AS BIGINT) AS judged,
    CAST(SUM(judged * followed) AS BIGINT) AS followed,
    CAST(SUM(CASE WHEN judged = 1 AND contacts IS NOT NULL THEN 1 ELSE 0 END) AS BIGINT) AS contacts_known,
    CAST(SUM(CASE WHEN judged = 1 AND followed = 0 AND (contacts IS NULL OR contacts <= 1)
        THEN 1 ELSE 0 END) AS BIGINT) AS first_contact
FROM marked
GROUP BY rep, month
