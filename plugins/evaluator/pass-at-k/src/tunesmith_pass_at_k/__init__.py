"""How often a model solves a problem within k answers, as a reward says: programs by their tests, mathematics, a function of yours."""
