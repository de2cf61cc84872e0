"""What `emoscope` can be told to do; one file per subcommand."""
