"""HTTP as hubs are asked: one attempt, the waiting between attempts, and parts of a file."""
