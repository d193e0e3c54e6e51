"""The adapters with the packages that they are for (make test-integrations)."""
