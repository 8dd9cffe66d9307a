"""Hears, answers, posts: the Slack app, the command line, the jobs. Holds no SQL."""
