"""Routes, authentication and middleware: translate and delegate, nothing more."""
