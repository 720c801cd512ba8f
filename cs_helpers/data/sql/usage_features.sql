-- Trailing usage of each account as each month begins: the 28 and the 90 days before it, and the calendar month
-- before it for DAU and MAU. A segment is a stretch of days that lie in the same windows; calendar_windows says in
-- which. A window that begins before the data do has no value. One bucket of accounts at a time; no condition on time
-- while usage is read, since comparing with another table's value costs more than it saves. Accounts without any event
-- in the 90 days have no row, unless dense: then they have zeros. Events count on their day in UTC.
WITH days AS (
    SELECT
        b.place,
        CAST(u.occurred_at AS DATE) AS day,
        COUNT(*) AS events,
        SUM(u.quantity) AS quantity,
        SUM(u.minutes) AS minutes
    FROM usage u
    INNER JOIN account_buckets b ON b.account_id = u.account_id
    INNER JOIN parameters q ON q.bucket = b.bucket
    GROUP BY b.place, CAST(u.occurred_at AS DATE)
),
segments AS (
    SELECT
        d.place,
        c.segment,
        SUM(d.events) AS events,
        COUNT(*) AS active_days,
        SUM(d.quantity) AS quantity,
        SUM(d.minutes) AS minutes
    FROM days d
    INNER JOIN calendar_days c ON c.day = d.day
    GROUP BY d.place, c.segment
),
totals AS (
    SELECT
        d.place,
        t.month,
        SUM(CASE WHEN t.in_28 THEN d.events ELSE 0 END) AS events_28,
        SUM(CASE WHEN t.in_28 THEN d.active_days ELSE 0 END) AS active_days_28,
        SUM(CASE WHEN t.in_28 THEN d.quantity END) AS quantity_28,
        SUM(CASE WHEN t.in_28 THEN d.minutes END) AS minutes_28,
        SUM(d.events) AS events_90,
        SUM(d.active_days) AS active_days_90,
        SUM(d.quantity) AS quantity_90,
        SUM(d.minutes) AS minutes_90,
        SUM(CASE WHEN t.in_month THEN d.events ELSE 0 END) AS events_month
    FROM segments d
    INNER JOIN calendar_windows t ON t.segment = d.segment
    GROUP BY d.place, t.month
),
user_days AS (
    SELECT b.place, u.user_id, CAST(u.occurred_at AS DATE) AS day
    FROM usage u
    INNER JOIN account_buckets b ON b.account_id = u.account_id
    INNER JOIN parameters q ON q.bucket = b.bucket
    WHERE u.user_id IS NOT NULL
    GROUP BY b.place, u.user_id, CAST(u.occurred_at AS DATE)
),
-- A user's last segment in each calendar month tells all: the 28 days lie inside one month, and of the 90 only the
-- first month is cut.
user_months AS (
    SELECT x.place, x.user_id, c.month_index, MAX(c.segment) AS segment, COUNT(*) AS active_days
    FROM user_days x
    INNER JOIN calendar_days c ON c.day = x.day
    GROUP BY x.place, x.user_id, c.month_index
),
user_windows AS (
    SELECT
        m.place,
        m.user_id,
        t.month,
        MAX(CASE WHEN t.in_28 THEN 1 ELSE 0 END) AS in_28,
        MAX(CASE WHEN t.in_month THEN m.active_days ELSE 0 END) AS active_days
    FROM user_months m
    INNER JOIN calendar_windows t ON t.segment = m.segment
    GROUP BY m.place, m.user_id, t.month
),
users AS (
    SELECT
        place,
        month,
        SUM(in_28) AS users_28,
        COUNT(*) AS users_90,
        SUM(CASE WHEN active_days > 0 THEN 1 ELSE 0 END) AS mau,
        SUM(active_days) AS user_days
    FROM user_windows
    GROUP BY place, month
),
shown AS (
    SELECT place, month FROM totals
    UNION
    SELECT b.place, c.first_day AS month
    FROM account_buckets b
    INNER JOIN parameters q ON q.bucket = b.bucket
    CROSS JOIN calendar_months c
    WHERE q.dense
),
joined AS (
    SELECT
        b.account_id,
        s.month,
        c.seen_28,
        c.seen_90,
        c.seen_month,
        c.days_before,
        CAST(COALESCE(t.events_28, 0) AS BIGINT) AS events_28,
        CAST(COALESCE(t.active_days_28, 0) AS BIGINT) AS active_days_28,
        t.quantity_28,
        t.minutes_28,
        CAST(COALESCE(u.users_28, 0) AS BIGINT) AS users_28,
        CAST(COALESCE(t.events_90, 0) AS BIGINT) AS events_90,
        CAST(COALESCE(t.active_days_90, 0) AS BIGINT) AS active_days_90,
        t.quantity_90,
        t.minutes_90,
        CAST(COALESCE(u.users_90, 0) AS BIGINT) AS users_90,
        CAST(COALESCE(t.events_month, 0) AS BIGINT) AS events_month,
        CAST(COALESCE(u.user_days, 0) AS BIGINT) AS user_days,
        CAST(COALESCE(u.mau, 0) AS BIGINT) AS mau
    FROM shown s
    INNER JOIN calendar_months c ON c.first_day = s.month
    INNER JOIN account_buckets b ON b.place = s.place
    LEFT JOIN totals t ON t.place = s.place AND t.month = s.month
    LEFT JOIN users u ON u.place = s.place AND u.month = s.month
)
SELECT
    j.account_id,
    j.month,
    CASE WHEN j.seen_28 THEN j.events_28 END AS events_28,
    CASE WHEN j.seen_28 THEN j.active_days_28 END AS active_days_28,
    CASE WHEN j.seen_28 AND j.events_28 = 0 THEN 0 WHEN j.seen_28 THEN j.quantity_28 END AS quantity_28,
    CASE WHEN j.seen_28 AND j.events_28 = 0 THEN 0 WHEN j.seen_28 THEN j.minutes_28 END AS minutes_28,
    CASE WHEN j.seen_28 AND (j.users_28 > 0 OR j.events_28 = 0) THEN j.users_28 END AS users_28,
    CASE WHEN j.seen_90 THEN j.events_90 END AS events_90,
    CASE WHEN j.seen_90 THEN j.active_days_90 END AS active_days_90,
    CASE WHEN j.seen_90 AND j.events_90 = 0 THEN 0 WHEN j.seen_90 THEN j.quantity_90 END AS quantity_90,
    CASE WHEN j.seen_90 AND j.events_90 = 0 THEN 0 WHEN j.seen_90 THEN j.minutes_90 END AS minutes_90,
    CASE WHEN j.seen_90 AND (j.users_90 > 0 OR j.events_90 = 0) THEN j.users_90 END AS users_90,
    CASE WHEN j.seen_month AND (j.mau > 0 OR j.events_month = 0) THEN j.mau END AS mau,
    CASE WHEN j.seen_month AND (j.mau > 0 OR j.events_month = 0) THEN j.user_days * q.one / j.days_before END AS dau,
    CASE WHEN j.seen_month AND j.mau > 0 THEN j.user_days * q.one / j.days_before / j.mau END AS stickiness
FROM joined j
CROSS JOIN parameters q
