"""The calendar and the alarms of jobs, by APScheduler."""
