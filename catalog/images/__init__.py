"""From a URL to pixels: fetch, keep, decode, fingerprint."""
