"""Forecasters: one module each, each with `NAME`, `needs(season)` and `expect(history, season, horizon)`."""
