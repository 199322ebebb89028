"""From a plan to artifacts: workers, journal, store, events, run view (laws L3 and L5)."""
