"""What is proven: verify, rebuild, as-of, redecide, what-if."""
