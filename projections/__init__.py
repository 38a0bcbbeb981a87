"""What is shown: a module for each read model, the projector, the database."""
