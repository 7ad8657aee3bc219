"""Tests of the suite as a whole: what no package can show by itself."""
