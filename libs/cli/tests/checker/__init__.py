"""Tests of the independent checker: each invariant where it holds, and where one thing is wrong."""
