"""`tunesmith chat`: a client of an endpoint, the conversation, and an endpoint that lives as long as it."""
