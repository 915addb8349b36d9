"""How good scores are: one evaluated period in, estimates with day-block bootstrap intervals out."""
