"""The commands of Tunesmith as tools of a Model Context Protocol server. See docs/mcp.md."""

MCP = "serve these commands to an assistant, as tools of the Model Context Protocol"
