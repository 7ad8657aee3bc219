"""Doubles of ERPs that can be had as a service only: real state behind their documented interfaces."""
