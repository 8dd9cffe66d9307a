"""The Web API methods that an app like Vigie uses, one file a family; `entry` takes the requests."""
