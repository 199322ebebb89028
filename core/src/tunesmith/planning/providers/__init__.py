"""Who does what in a step: providers looked up, chosen, held against each other's needs, formats converted where they don't fit."""
