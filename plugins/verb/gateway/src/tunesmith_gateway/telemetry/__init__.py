"""What is told of requests: log, metrics, traces."""
