"""What is decided: pure decisions over a book. No I/O, clock or randomness."""
