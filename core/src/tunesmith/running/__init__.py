"""From a plan to artifacts: workers, journal, store, events, report (laws L3 and L5)."""
