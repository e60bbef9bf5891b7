"""The addon of the queue's benchmark."""
