"""Logs: one line each, a stable event word first, and a filter that takes secrets and personal data out."""

import logging
import re
import sys

_SECRETS = (
    (re.compile(r"xox[a-z]-[\w-]+|xoxe[\w.-]+|xapp-[\w-]+"), "[token]"),
    (re.compile(r"(?i)bearer\s+[\w.~+/=-]+"), "[token]"),
    (re.compile(r"https?://[^\s'\"]*/(?:commands|actions|app|services|response)/[^\s'\"]+"), "[response_url]"),
    (re.compile(r"wss?://[^\s'\"]+"), "[socket]"),
    (re.compile(r"(?i)(://[^:/\s]+:)[^@/\s]+@"), r"\1[password]@"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
)


class Redaction(logging.Filter):
    """Rewrites every record on its way out: no token, address or e-mail, and never more than one line of message."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage()).replace("\r", " ").replace("\n", "\\n")
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


def redact(text: str) -> str:
    """`text` without tokens, response addresses, passwords and e-mail addresses."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def configure_logs(level: int = logging.INFO) -> None:
    """Send logs to standard error, redacted. Called once, by the command that serves."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    output.addFilter(Redaction())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level)
    # At DEBUG the SDK writes message texts, and Bolt whole bodies at INFO when it refuses one.
    for name in ("slack_sdk", "slack_bolt", "apscheduler", "uvicorn.access", "httpx"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
