"""What every part of the toolkit shares: errors, results, periods, statistics, the registry of metrics."""
