"""Talks to `dynameter mcp` as an agent does, with the official client. Arguments: the program, the folder."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


def of(value, *names):
    """A field, under the name that it has in this version of the client."""
    return next(getattr(value, name) for name in names if hasattr(value, name))


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["mcp", "--root", sys.argv[2]])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        told = await session.initialize()
        tools = await session.list_tools()
        estimate = await session.call_tool("estimate", {"files": ["iot.toml"]})
        wrong = await session.call_tool("estimate", {"text": 'name = "x"\nregon = "eu-west-1"\n'})
    answer = of(estimate, "structuredContent", "structured_content")
    assert json.loads(estimate.content[1].text) == answer
    print(
        json.dumps(
            {
                "server": of(told, "serverInfo", "server_info").name,
                "tools": sorted(tool.name for tool in tools.tools),
                "estimate": answer,
                "short": estimate.content[0].text,
                "is_error": [of(one, "isError", "is_error") for one in (estimate, wrong)],
                "wrong": wrong.content[0].text,
            }
        )
    )


asyncio.run(main())
