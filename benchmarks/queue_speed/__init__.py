"""What the queue is measured by: the two jobs, and the other queues that run them too."""
