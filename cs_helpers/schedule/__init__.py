"""The schedule: what is due, delivery of reports, hand-over to cron, systemd and Airflow."""
