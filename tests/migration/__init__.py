"""Tests of a flaskapi-guard app after its import line was changed."""
