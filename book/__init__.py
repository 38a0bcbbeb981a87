"""What is true: the state of one book, and `evolve`, the only thing that changes it."""
