"""The searchers that come with the command."""
