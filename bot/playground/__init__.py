"""A small local Slack: the newcomers' playground and the test double of the whole project.

`server.Playground` starts it; `person.User` is a person typing and clicking in it. It knows nothing of Vigie.
"""
