"""Images, audio and video of rows: read from their files, and made into what a model takes."""
