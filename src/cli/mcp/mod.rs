//! `mcp`: the commands as tools of an agent, over standard input and output (Model Context
//! Protocol).
//!
//! A call runs this program again with the arguments of the tool, confined to the folder that was
//! given at the start, so that a tool answers what the command line does, byte for byte.

mod child;
mod tools;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde_json::{Map, Value, json};

pub use child::confine;
use tools::{Answer, ToolSpec};

/// Serves until the agent closes the connection.
pub fn serve(root: &Path) -> Result<()> {
    let shown = root.display();
    let root = root
        .canonicalize()
        .with_context(|| format!("{shown}: cannot be opened"))?;
    if !root.is_dir() {
        bail!("{shown}: is not a folder\nhelp: name the folder whose files the agent may read");
    }
    if std::env::join_paths([&root]).is_err() {
        bail!(
            "{shown}: has a character in its path that separates paths\nhelp: serve another folder"
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let service = Server { root }.serve(rmcp::transport::stdio()).await;
        service
            .context("the agent did not begin as the Model Context Protocol says")?
            .waiting()
            .await?;
        Ok(())
    })
}

/// The server.
struct Server {
    /// The folder whose files may be read.
    root: PathBuf,
}

/// What an agent is told at the start.
const INSTRUCTIONS: &str = "dynameter computes exactly what an Amazon DynamoDB design costs. Write \
    a workload file in TOML (call `schema` for its JSON Schema), then call `estimate`; `explain` \
    shows the working of every line, `compare` the alternatives, `check` compares with a budget, \
    `diff` two versions, `import` makes a workload file of a Terraform plan, a CloudFormation \
    template or what AWS describes. A mistake in a file comes back with its line and how to fix \
    it. A figure that is unknown is said to be unknown and is in no total.";

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let tools = ServerCapabilities::builder().enable_tools().build();
        let own = Implementation::new("dynameter", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(tools)
            .with_server_info(own)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = ToolSpec::all().iter().map(described).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let all = ToolSpec::all();
        let Some(tool) = all.iter().find(|tool| tool.name == request.name) else {
            let names: Vec<&str> = all.iter().map(|tool| tool.name).collect();
            let text = format!(
                "no tool {:?}; the tools are {}",
                request.name,
                names.join(", ")
            );
            return Err(ErrorData::invalid_params(text, None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let work = tool.answer(&self.root, &arguments);
        // A call that the agent cancels ends the run that it started.
        let answered = context.ct.run_until_cancelled(work).await;
        let answered = answered.unwrap_or_else(|| Err("cancelled".to_string()));
        let answer = match answered {
            Ok(answer) => succeeded(answer),
            Err(message) => CallToolResult::error(vec![ContentBlock::text(message)]),
        };
        Ok(answer.into())
    }
}

fn described(tool: &ToolSpec) -> Tool {
    let schema: Map<String, Value> = match tool.schema() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    Tool::new(tool.name, tool.description, Arc::new(schema))
}

/// A short text, and the JSON of the command line, as a value and as text.
fn succeeded(answer: Answer) -> CallToolResult {
    let Answer { short, value } = answer;
    // A structured answer is an object.
    let value = match value {
        Value::Object(_) => value,
        several => json!({ "results": several }),
    };
    let mut result = CallToolResult::success(vec![
        ContentBlock::text(short),
        ContentBlock::text(value.to_string()),
    ]);
    result.structured_content = Some(value);
    result
}
