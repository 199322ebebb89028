"""Where checks are made: workers of the provider under test, their environments, what they leave."""
