"""Who answers: models by name, their versions and shares, the servers behind them."""
