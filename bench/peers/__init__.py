"""What Daybook is measured against, in the same rounds: other ways to move money durably."""
