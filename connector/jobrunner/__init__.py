"""The place of the channels in 8.0; the job runner itself is `connector worker`."""
