-- Trailing usage of each account as each month begins: the 28 and the 90 days before it, and the calendar month
-- before it for DAU and MAU. calendar_trailing says how many days before which month starts a day lies.
-- A window that begins before the data do has no value. One bucket of accounts at a time.
WITH user_days AS (
    SELECT
        u.account_id,
        u.user_id,
        CAST(u.occurred_at AS DATE) AS day,
        COUNT(*) AS events,
        SUM(u.quantity) AS quantity,
        SUM(u.minutes) AS minutes
    FROM usage u
    INNER JOIN account_buckets b ON b.account_id = u.account_id
    INNER JOIN parameters q ON q.bucket = b.bucket
    WHERE u.occurred_at >= q.earliest_day AND u.occurred_at < q.last_month
    GROUP BY u.account_id, u.user_id, CAST(u.occurred_at AS DATE)
),
days AS (
    SELECT
        account_id,
        day,
        SUM(events) AS events,
        SUM(quantity) AS quantity,
        SUM(minutes) AS minutes,
        COUNT(user_id) AS users
    FROM user_days
    GROUP BY account_id, day
),
totals AS (
    SELECT
        d.account_id,
        t.month,
        SUM(CASE WHEN t.days_back <= 28 THEN d.events ELSE 0 END) AS events_28,
        SUM(CASE WHEN t.days_back <= 28 THEN 1 ELSE 0 END) AS active_days_28,
        SUM(CASE WHEN t.days_back <= 28 THEN d.quantity END) AS quantity_28,
        SUM(CASE WHEN t.days_back <= 28 THEN d.minutes END) AS minutes_28,
        SUM(d.events) AS events_90,
        COUNT(*) AS active_days_90,
        SUM(d.quantity) AS quantity_90,
        SUM(d.minutes) AS minutes_90,
        SUM(CASE WHEN t.in_month THEN d.events ELSE 0 END) AS events_month,
        SUM(CASE WHEN t.in_month THEN d.users ELSE 0 END) AS user_days
    FROM days d
    INNER JOIN calendar_trailing t ON t.day = d.day
    GROUP BY d.account_id, t.month
),
-- The last day of use in each calendar month tells all: the 28 days lie inside one, the 90 end with two whole ones.
last_days AS (
    SELECT
        account_id,
        user_id,
        EXTRACT(YEAR FROM day) * 12 + EXTRACT(MONTH FROM day) AS month_index,
        MAX(day) AS day
    FROM user_days
    WHERE user_id IS NOT NULL
    GROUP BY account_id, user_id, EXTRACT(YEAR FROM day) * 12 + EXTRACT(MONTH FROM day)
),
nearest AS (
    SELECT
        l.account_id,
        l.user_id,
        t.month,
        MIN(t.days_back) AS days_back,
        MAX(CASE WHEN t.in_month THEN 1 ELSE 0 END) AS in_month
    FROM last_days l
    INNER JOIN calendar_trailing t ON t.day = l.day
    GROUP BY l.account_id, l.user_id, t.month
),
users AS (
    SELECT
        account_id,
        month,
        SUM(CASE WHEN days_back <= 28 THEN 1 ELSE 0 END) AS users_28,
        COUNT(*) AS users_90,
        SUM(in_month) AS mau
    FROM nearest
    GROUP BY account_id, month
),
shown AS (
    SELECT account_id, month FROM totals
    UNION
    SELECT b.account_id, c.first_day AS month
    FROM account_buckets b
    INNER JOIN parameters q ON q.bucket = b.bucket
    CROSS JOIN calendar_months c
    WHERE q.dense
),
joined AS (
    SELECT
        s.account_id,
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
        CAST(COALESCE(t.user_days, 0) AS BIGINT) AS user_days,
        CAST(COALESCE(u.mau, 0) AS BIGINT) AS mau
    FROM shown s
    INNER JOIN calendar_months c ON c.first_day = s.month
    LEFT JOIN totals t ON t.account_id = s.account_id AND t.month = s.month
    LEFT JOIN users u ON u.account_id = s.account_id AND u.month = s.month
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
