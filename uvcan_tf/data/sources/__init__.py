"""Where tables come from: converters of public logs, and made-up worlds."""
