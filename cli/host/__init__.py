"""Commands around the process that holds a home: begin it, end it, serve it, look at it."""
