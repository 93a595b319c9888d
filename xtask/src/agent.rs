//! Stages the agent: builds it statically and puts it where the server embeds it from.

use anyhow::{Context, Result};

use crate::command::{cargo, run};
use crate::{cache, repo, tools};

/// Builds `target/embed/agent`. The file is touched only when its bytes change, so that the server isn't built anew for nothing.
pub(crate) fn stage() -> Result<String> {
    let target = tools::agent_target();
    run(cargo().args(["build", "--locked", "--profile", "agent", "--package", "embedenv-agent", "--target", &target]))?;
    let built = repo::path("target").join(&target).join("agent/embedenv-agent");
    let bytes = std::fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let staged = repo::path("target/embed/agent");
    let size = bytes.len() / 1024;
    if std::fs::read(&staged).is_ok_and(|kept| kept == bytes) {
        return Ok(format!("unchanged ({size} KiB)"));
    }
    cache::write(&staged, &bytes)?;
    Ok(format!("built ({size} KiB)"))
}
