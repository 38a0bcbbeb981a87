"""Documents: what people write to configure a book, checked whole before anything is stored."""
