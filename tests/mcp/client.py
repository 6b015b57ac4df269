"""Talks to `dynameter mcp` as an agent does, with the official client. Arguments: the program, the folder."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["mcp", "--root", sys.argv[2]])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        told = await session.initialize()
        tools = await session.list_tools()
        estimate = await session.call_tool("estimate", {"files": ["iot.toml"]})
        wrong = await session.call_tool("estimate", {"text": 'name = "x"\nregon = "eu-west-1"\n'})
    answer = estimate.structuredContent
    assert json.loads(estimate.content[1].text) == answer
    print(
        json.dumps(
            {
                "server": told.serverInfo.name,
                "tools": sorted(tool.name for tool in tools.tools),
                "estimate": answer,
                "short": estimate.content[0].text,
                "is_error": [estimate.isError, wrong.isError],
                "wrong": wrong.content[0].text,
            }
        )
    )


asyncio.run(main())
