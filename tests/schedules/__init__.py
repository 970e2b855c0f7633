"""Tests that replay resources/schedules."""
