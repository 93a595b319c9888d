//! Which engine a server runs. A room's files stay with the engine that made them, so a data directory that has rooms
//! stays with its engine.

use std::fs;
use std::io;
use std::path::Path;

use crate::config::{Config, DEFAULT_SPACE, EngineChoice};

use super::EngineError;
use super::docker::DockerEngine;

/// The file of the data directory that names its engine.
const FILE: &str = "engine";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Local,
    Docker,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Docker => "docker",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Local, Self::Docker].into_iter().find(|kind| kind.name() == name)
    }
}

/// The engine that a data directory's rooms are with.
pub(crate) fn kept(data_dir: &Path) -> Option<Kind> {
    Kind::of(fs::read_to_string(data_dir.join(FILE)).ok()?.trim())
}

/// What the configuration says; `auto` is Docker where an engine answers and has the default space's image. `living`
/// says whether there are rooms already.
pub(crate) async fn choose(config: &Config, living: bool) -> Result<Kind, EngineError> {
    choose_by(config, living, async |image: &str| DockerEngine::has(image).await).await
}

async fn choose_by(config: &Config, living: bool, has: impl AsyncFnOnce(&str) -> bool) -> Result<Kind, EngineError> {
    let file = config.data_dir.join(FILE);
    let before = match fs::read_to_string(&file) {
        Ok(text) => Kind::of(text.trim()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(failed("its name can't be read", source)),
    };
    let before = before.filter(|_| living);
    let kind = match (config.engine, before) {
        (EngineChoice::Auto, Some(before)) => before,
        (EngineChoice::Auto, None) => {
            let image = config.space(DEFAULT_SPACE).map(|space| space.profile.image.as_str()).unwrap_or_default();
            if has(image).await { Kind::Docker } else { Kind::Local }
        }
        (EngineChoice::Local, before) => stay(Kind::Local, before)?,
        (EngineChoice::Docker, before) => stay(Kind::Docker, before)?,
    };
    if before != Some(kind) {
        fs::write(&file, format!("{}\n", kind.name())).map_err(|source| failed("its name can't be kept", source))?;
    }
    Ok(kind)
}

fn stay(wanted: Kind, before: Option<Kind>) -> Result<Kind, EngineError> {
    match before {
        Some(before) if before != wanted => Err(EngineError::Start {
            reason: format!(
                "this data directory has rooms of the {0} engine, and the {1} engine would not find their files; run it \
                 with `--engine {0}`, or give the {1} engine another --data-dir",
                before.name(),
                wanted.name()
            ),
            source: None,
        }),
        _ => Ok(wanted),
    }
}

fn failed(reason: &str, source: io::Error) -> EngineError {
    EngineError::Start { reason: reason.to_owned(), source: Some(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn auto_is_docker_where_it_has_the_default_spaces_image_and_local_otherwise() {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: data.path().to_owned(), engine: EngineChoice::Auto, ..Config::default() };
        config.spaces.get_mut(DEFAULT_SPACE).unwrap().profile.image = "a:b".to_owned();
        let chosen = choose_by(&config, false, async |image: &str| image == "a:b").await;
        assert_eq!(chosen.unwrap(), Kind::Docker);
        assert_eq!(choose_by(&config, false, async |_: &str| false).await.unwrap(), Kind::Local);
        // Its rooms are local now: it stays so, whatever an engine has.
        assert_eq!(choose_by(&config, true, async |_: &str| true).await.unwrap(), Kind::Local);
    }

    #[tokio::test]
    async fn a_data_directory_with_rooms_stays_with_its_engine() {
        let data = tempfile::tempdir().unwrap();
        let config = |engine| Config { data_dir: data.path().to_owned(), engine, ..Config::default() };
        assert_eq!(choose(&config(EngineChoice::Docker), false).await.unwrap(), Kind::Docker);
        assert_eq!(choose(&config(EngineChoice::Auto), true).await.unwrap(), Kind::Docker);
        let refused = choose(&config(EngineChoice::Local), true).await.unwrap_err().to_string();
        assert!(refused.contains("--engine docker"), "{refused}");
        assert_eq!(choose(&config(EngineChoice::Local), false).await.unwrap(), Kind::Local);
        assert_eq!(choose(&config(EngineChoice::Auto), true).await.unwrap(), Kind::Local);
    }
}
