"""The OpenAI API over HTTP: routes, request checks, answers, streams, metrics."""
