-- One row per account and month that begins while the account pays. Everything is as the month begins or happens in
-- it before the account leaves; churned says that its paid time ends in the month, so its first unpaid day lies after
-- the first day and at the latest on the next month's first. Months whose end has not been seen are not in it.
WITH at_risk AS (
    SELECT
        p.account_id,
        c.first_day,
        c.next_first_day,
        c.month_index,
        p.mrr_cents,
        s.start_date,
        s.end_date
    FROM calendar_months c
    INNER JOIN paid_periods p
        ON p.start_date <= c.first_day AND (p.end_date IS NULL OR p.end_date > c.first_day)
    INNER JOIN paid_spells s
        ON s.account_id = p.account_id
        AND s.start_date <= c.first_day AND (s.end_date IS NULL OR s.end_date > c.first_day)
),
assigned AS (
    SELECT
        r.account_id,
        r.first_day,
        a.rep_id,
        ROW_NUMBER() OVER (PARTITION BY r.account_id, r.first_day ORDER BY a.start_date DESC, a.rep_id) AS place
    FROM at_risk r
    CROSS JOIN parameters q
    INNER JOIN assignments a
        ON a.account_id = r.account_id
        AND a.start_date <= r.first_day AND (a.end_date IS NULL OR a.end_date > r.first_day)
        AND (q.role = '' OR a.role IS NULL OR LOWER(a.role) = LOWER(q.role))
    LEFT JOIN reps p ON p.rep_id = a.rep_id
    WHERE p.left_on IS NULL OR p.left_on >= r.first_day
),
touched AS (
    SELECT r.account_id, r.first_day, COUNT(*) AS touches, SUM(t.hours) AS hours
    FROM at_risk r
    INNER JOIN touches t
        ON t.account_id = r.account_id AND t.occurred_at >= r.first_day AND t.occurred_at < r.next_first_day
        AND (r.end_date IS NULL OR t.occurred_at < r.end_date)
    GROUP BY r.account_id, r.first_day
),
used AS (
    SELECT r.account_id, r.first_day, COUNT(*) AS events, SUM(u.quantity) AS quantity
    FROM at_risk r
    INNER JOIN usage u
        ON u.account_id = r.account_id AND u.occurred_at >= r.first_day AND u.occurred_at < r.next_first_day
        AND (r.end_date IS NULL OR u.occurred_at < r.end_date)
    GROUP BY r.account_id, r.first_day
),
asked AS (
    SELECT r.account_id, r.first_day, COUNT(*) AS tickets
    FROM at_risk r
    INNER JOIN tickets t
        ON t.account_id = r.account_id AND t.opened_at >= r.first_day AND t.opened_at < r.next_first_day
        AND (r.end_date IS NULL OR t.opened_at < r.end_date)
    GROUP BY r.account_id, r.first_day
),
-- Before a table's first row and after its last nothing was recorded, which is not the same as nothing happening.
recorded AS (
    SELECT
        (SELECT MIN(start_date) FROM assignments) AS first_assignment,
        (SELECT MIN(occurred_at) FROM touches) AS first_touch,
        (SELECT MAX(occurred_at) FROM touches) AS last_touch,
        (SELECT MIN(occurred_at) FROM usage) AS first_use,
        (SELECT MAX(occurred_at) FROM usage) AS last_use,
        (SELECT MIN(opened_at) FROM tickets) AS first_ticket,
        (SELECT MAX(opened_at) FROM tickets) AS last_ticket
)
SELECT
    r.account_id,
    r.first_day AS month,
    r.month_index - q.first_index AS month_index,
    r.mrr_cents,
    r.month_index - CAST(EXTRACT(YEAR FROM r.start_date) * 12 + EXTRACT(MONTH FROM r.start_date) - 1 AS BIGINT)
        - CASE WHEN EXTRACT(DAY FROM r.start_date) > 1 THEN 1 ELSE 0 END AS tenure_months,
    CASE WHEN k.first_assignment IS NULL THEN NULL WHEN a.rep_id IS NULL THEN FALSE ELSE TRUE END AS covered,
    a.rep_id AS csm,
    CASE WHEN k.first_touch < r.next_first_day AND k.last_touch >= r.first_day
        THEN COALESCE(t.touches, 0) END AS touches,
    CASE WHEN k.first_touch < r.next_first_day AND k.last_touch >= r.first_day AND t.touches IS NULL THEN 0
        ELSE t.hours END AS touch_hours,
    CASE WHEN k.first_use < r.next_first_day AND k.last_use >= r.first_day
        THEN COALESCE(u.events, 0) END AS events,
    CASE WHEN k.first_use < r.next_first_day AND k.last_use >= r.first_day AND u.events IS NULL THEN 0
        ELSE u.quantity END AS quantity,
    CASE WHEN k.first_ticket < r.next_first_day AND k.last_ticket >= r.first_day
        THEN COALESCE(d.tickets, 0) END AS tickets,
    CASE WHEN r.end_date <= r.next_first_day THEN TRUE ELSE FALSE END AS churned
FROM at_risk r
CROSS JOIN parameters q
CROSS JOIN recorded k
LEFT JOIN assigned a ON a.account_id = r.account_id AND a.first_day = r.first_day AND a.place = 1
LEFT JOIN touched t ON t.account_id = r.account_id AND t.first_day = r.first_day
LEFT JOIN used u ON u.account_id = r.account_id AND u.first_day = r.first_day
LEFT JOIN asked d ON d.account_id = r.account_id AND d.first_day = r.first_day
