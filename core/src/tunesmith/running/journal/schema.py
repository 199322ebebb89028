"""The tables of the journal."""

from __future__ import annotations

VERSION = 5

#: Series of metrics belong to a step's key, not to a run: a curve is whole though the run was killed in its middle, and a step that
#: came from the cache still has its curve. A key is that of the settings in force: `remedies` leads from the settings that failed to
#: those that did not. `begun` has the keys of work directories, by what is made in them however it is done. `lineage` is only ever added
#: to: an artifact may have several makers, and a key that is made again another artifact.
TABLES = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, path TEXT NOT NULL, started REAL NOT NULL, finished REAL, state TEXT NOT NULL, error TEXT,
    aside INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE steps (
    run TEXT NOT NULL, step TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL DEFAULT '', state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, cached INTEGER NOT NULL DEFAULT 0, started REAL, finished REAL, artifact TEXT, error TEXT,
    PRIMARY KEY (run, step)
) WITHOUT ROWID;
CREATE TABLE cache (key TEXT PRIMARY KEY, digest TEXT NOT NULL, document TEXT NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE remedies (key TEXT PRIMARY KEY, settings TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE begun (key TEXT PRIMARY KEY, task TEXT NOT NULL, means TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
    key TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, value REAL, PRIMARY KEY (key, name, at)
) WITHOUT ROWID;
CREATE TABLE progress (
    run TEXT NOT NULL, step TEXT NOT NULL, what TEXT NOT NULL, done REAL NOT NULL, total REAL, unit TEXT NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (run, step, what)
) WITHOUT ROWID;
CREATE TABLE lineage (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, cached INTEGER NOT NULL,
    time REAL NOT NULL, producer TEXT NOT NULL, settings TEXT NOT NULL, inputs TEXT NOT NULL
);
CREATE INDEX lineage_of ON lineage (digest);
CREATE UNIQUE INDEX lineage_once ON lineage (run, step, key, digest);
CREATE TABLE decisions (number INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL);
CREATE UNIQUE INDEX decisions_once ON decisions (run, step, what, reason);
CREATE TABLE events (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL, time REAL NOT NULL, step TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX events_of ON events (run, number);
"""
