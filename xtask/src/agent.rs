//! Stages the agent: builds it statically and puts it, packed, where the server embeds it from.

use std::io::Write as _;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

use crate::command::{cargo, run};
use crate::{cache, repo, tools};

/// Builds `target/embed/agent.gz`. The file is touched only when its bytes change, so that the server isn't built anew for
/// nothing.
pub(crate) fn stage() -> Result<String> {
    let target = tools::agent_target();
    run(cargo().args(["build", "--locked", "--profile", "agent", "--package", "embedenv-agent", "--target", &target]))?;
    let built = repo::path("target").join(&target).join("agent/embedenv-agent");
    let bytes = std::fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    // No name and no time: the same agent is packed into the same bytes.
    let mut packer = GzBuilder::new().write(Vec::new(), Compression::best());
    packer.write_all(&bytes)?;
    let packed = packer.finish()?;
    let staged = repo::path("target/embed/agent.gz");
    let size = format!("{} KiB, {} packed", bytes.len() / 1024, packed.len() / 1024);
    if std::fs::read(&staged).is_ok_and(|kept| kept == packed) {
        return Ok(format!("unchanged ({size})"));
    }
    cache::write(&staged, &packed)?;
    Ok(format!("built ({size})"))
}
