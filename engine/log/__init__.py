"""The log: what is submitted, decided and stored, in one order, by one writer per partition."""
