"""Kinds of rules: one module each, with `LOOKBACK` (months read before the first judged one) and `read(rule, cells)`."""
