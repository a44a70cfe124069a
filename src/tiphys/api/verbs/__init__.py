"""One verb a file: `async def handle(call) -> Response`."""
