"""What holds Hearsay to account."""
