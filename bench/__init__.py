"""What it costs: one named workload a figure."""
