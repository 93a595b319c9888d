//! A backup that is made while people work, and a server on what it holds.

use anyhow::{Context as _, Result, ensure};
use embedenv::backup;
use embedenv_tests::TestServer;
use embedenv_tests::editor::Editor;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_restored_backup_has_the_rooms_their_files_and_the_credits() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("embedenv.tar");
    let server = TestServer::new().await?;
    let key = server.key(3).await?;
    let join = server.room().await?;
    let mut owner = server.full(&join).await?;
    let file_there = json!({"path": "kept.txt", "content": "what was there\n"});
    owner.command("p", json!({"type": "write"}), file_there).await?;
    let mut editor = Editor::open(&mut owner, "p", "kept.txt").await?;
    editor.insert(&mut owner, 0, "typed, and ").await?;
    editor.wait_until_held(&mut owner).await?;
    let contents = backup::write(server.config(), &file).await?;
    ensure!(contents.has_database && contents.files > 3, "{contents:?}");
    ensure!(backup::write(server.config(), &file).await.is_err(), "a backup takes the place of no other");
    ensure!(backup::restore(&file, server.data_dir()).is_err(), "a folder that is in use is left alone");
    // With the room its home is gone, wherever that was.
    for room in server.running()?.registry().all() {
        server.running()?.registry().end(&room).await;
    }
    drop(server);

    let mut restored = Ok(());
    let server = TestServer::with(|config| restored = backup::restore(&file, &config.data_dir)).await?;
    restored?;
    ensure!(server.ledger()?.authenticate(&key.public_key, &key.secret_key).await?.balance == 3);
    let mut owner = server.full(&join).await.context("the link leads there still")?;
    let editor = Editor::open(&mut owner, "p", "kept.txt").await?;
    ensure!(editor.text() == "typed, and what was there\n", "{}", editor.text());
    Ok(())
}
