"""The warehouse: whole-file writes, Arrow schemas, manifests, publishing, views."""
