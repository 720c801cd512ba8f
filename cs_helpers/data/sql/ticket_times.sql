-- Tickets with their times in whole seconds since 1970 (UTC) and the months they fall in.
SELECT
    t.ticket_id,
    t.account_id,
    COALESCE(t.rep_id, '') AS rep,
    t.category,
    t.wait_seconds,
    t.answered,
    t.contacts,
    t.reopened,
    t.escalated,
    t.handle_minutes,
    t.csat,
    t.ces,
    o.month AS opened_month,
    f.month AS responded_month,
    r.month AS resolved_month,
    r.day AS resolved_day,
    o.day_number * 86400 + CAST(EXTRACT(HOUR FROM t.opened_at) AS BIGINT) * 3600
        + CAST(EXTRACT(MINUTE FROM t.opened_at) AS BIGINT) * 60
        + CAST(FLOOR(EXTRACT(SECOND FROM t.opened_at)) AS BIGINT) AS opened_second,
    f.day_number * 86400 + CAST(EXTRACT(HOUR FROM t.first_response_at) AS BIGINT) * 3600
        + CAST(EXTRACT(MINUTE FROM t.first_response_at) AS BIGINT) * 60
        + CAST(FLOOR(EXTRACT(SECOND FROM t.first_response_at)) AS BIGINT) AS responded_second,
    r.day_number * 86400 + CAST(EXTRACT(HOUR FROM t.resolved_at) AS BIGINT) * 3600
        + CAST(EXTRACT(MINUTE FROM t.resolved_at) AS BIGINT) * 60
        + CAST(FLOOR(EXTRACT(SECOND FROM t.resolved_at)) AS BIGINT) AS resolved_second
FROM tickets t
INNER JOIN calendar_days o ON o.day = CAST(t.opened_at AS DATE)
LEFT JOIN calendar_days f ON f.day = CAST(t.first_response_at AS DATE)
LEFT JOIN calendar_days r ON r.day = CAST(t.resolved_at AS DATE)
