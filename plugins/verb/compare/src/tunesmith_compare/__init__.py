"""Models beside one another, as evaluators of past runs measured them."""

SUMMARY = "models beside one another, by what evaluators measured of them: paired tests, a page, a leaderboard"
