"""Models from object stores and WebDAV servers, for Tunesmith."""
