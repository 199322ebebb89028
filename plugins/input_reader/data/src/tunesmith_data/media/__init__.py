"""Images, sounds and videos that rows name."""
