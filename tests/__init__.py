"""What it means, in the language of the domain."""
