"""What is noticed: behaviour over time and across accounts, as pure folds; triage; the streams."""
