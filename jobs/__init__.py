"""What cron runs: the command line and one module per job."""
