"""A search as it goes: what is written down of it, who is asked, what runs, and when it is enough."""
