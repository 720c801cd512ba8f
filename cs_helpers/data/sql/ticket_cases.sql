-- One row per ticket that was opened or resolved from start on and before as_of, with what was fixed before anybody
-- acted (the hour, the channel, what the account paid and for how long it had paid) and what became of it until as_of.
-- A ticket is followed if the same account opens another one of the same category after it and within so many days of
-- its resolution; it is judged only once all those days have been seen.
WITH ordered AS (
    SELECT
        ticket_id,
        account_id,
        rep,
        opened_month,
        resolved_month,
        resolved_day,
        opened_second,
        responded_second,
        resolved_second,
        LEAD(opened_second) OVER (
            PARTITION BY account_id, category ORDER BY opened_second, ticket_id
        ) AS next_opened_second
    FROM ticket_times
),
-- What becomes known with the resolution is unknown where that comes at as_of or later; without any it stands as found.
seen AS (
    SELECT
        o.*,
        ROW_NUMBER() OVER (ORDER BY o.opened_second, o.ticket_id) AS case_number,
        CASE WHEN o.resolved_second < q.as_of_second THEN 1 ELSE 0 END AS resolved,
        CASE WHEN o.resolved_second >= q.as_of_second THEN 1 ELSE 0 END AS later
    FROM ordered o
    CROSS JOIN parameters q
    WHERE o.opened_second < q.as_of_second
        AND (o.opened_second >= q.start_second
            OR (o.resolved_second >= q.start_second AND o.resolved_second < q.as_of_second))
),
first_paid AS (
    SELECT p.account_id, MIN(c.day_number) AS day_number
    FROM paid_periods p
    INNER JOIN calendar_days c ON c.day = p.start_date
    GROUP BY p.account_id
)
SELECT
    s.case_number,
    NULLIF(s.rep, '') AS rep_id,
    s.account_id,
    s.opened_month,
    CASE WHEN s.resolved = 1 THEN s.resolved_month END AS resolved_month,
    CASE WHEN s.resolved = 1 THEN s.resolved_day END AS resolved_day,
    CAST(EXTRACT(HOUR FROM k.opened_at) AS BIGINT) AS opened_hour,
    c.weekday AS opened_weekday,
    k.channel,
    k.priority,
    k.category,
    p.mrr_cents,
    CASE WHEN f.day_number <= c.day_number THEN c.day_number - f.day_number END AS tenure_days,
    k.wait_seconds,
    k.answered,
    CASE WHEN s.later = 0 THEN k.contacts END AS contacts,
    CASE WHEN s.later = 0 THEN k.reopened END AS reopened,
    CASE WHEN s.later = 0 THEN k.escalated END AS escalated,
    CASE WHEN s.later = 0 THEN k.handle_minutes END AS handle_minutes,
    CASE WHEN s.later = 0 THEN k.csat END AS csat,
    CASE WHEN s.later = 0 THEN k.ces END AS ces,
    CASE WHEN s.responded_second < q.as_of_second
        THEN (s.responded_second - s.opened_second) * q.one / 60 END AS first_response_minutes,
    CASE WHEN s.resolved = 1 THEN (s.resolved_second - s.opened_second) * q.one / 60 END AS resolution_minutes,
    CASE WHEN s.account_id IS NOT NULL AND s.resolved_second + q.days * 86400 < q.as_of_second
        THEN TRUE ELSE FALSE END AS judged,
    CASE WHEN s.account_id IS NOT NULL AND s.resolved_second + q.days * 86400 < q.as_of_second
        THEN CASE WHEN s.next_opened_second <= s.resolved_second + q.days * 86400
            THEN TRUE ELSE FALSE END END AS followed
FROM seen s
CROSS JOIN parameters q
INNER JOIN tickets k ON k.ticket_id = s.ticket_id
INNER JOIN calendar_days c ON c.day = CAST(k.opened_at AS DATE)
LEFT JOIN paid_periods p
    ON p.account_id = s.account_id AND p.start_date <= c.day AND (p.end_date IS NULL OR p.end_date > c.day)
LEFT JOIN first_paid f ON f.account_id = s.account_id
