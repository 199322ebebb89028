"""Personal data in rows: found by patterns and check digits, and masked."""
