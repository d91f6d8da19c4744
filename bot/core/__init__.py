"""The shared vocabulary: what is said, and what is shown. No I/O; imports nothing else of ours."""
