"""What is decided: `decide(book, command, at_ms)`, pure, without I/O, clock or randomness."""
