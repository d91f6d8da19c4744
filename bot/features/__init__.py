"""What Hearsay does, by feature. Features never import one another."""
