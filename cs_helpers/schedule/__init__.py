"""The schedule: which runs are due, delivery of reports, export to cron, systemd and Airflow."""
