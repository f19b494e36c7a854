"""Tests of what the harness changes on the machine, and puts back."""
