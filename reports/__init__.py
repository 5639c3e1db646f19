"""From results to figures to pages."""
