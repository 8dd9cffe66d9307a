"""The sample company and the play it is shown in: `vigie demo`."""
