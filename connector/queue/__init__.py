"""What a job is, where it is kept, and how it gets to a worker."""
