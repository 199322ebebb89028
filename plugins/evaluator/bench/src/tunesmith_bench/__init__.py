"""Load tests of a server that speaks the OpenAI API: the command `tunesmith bench` and the evaluator `load-test`."""

SUMMARY = "how fast a served model answers, under which load, and how sure that is"
