"""What Schemathesis needs to know of the API beside its document."""

# Imported here because Python 3.11 fails to import it in deep recursion, where Schemathesis would do it first.
import anyio  # noqa: F401
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """Sends lines as they are generated: their schema is a text."""
    return value if isinstance(value, bytes) else str(value).encode()
