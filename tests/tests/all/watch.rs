//! What watches the server asks, on its own address and on the one that is for that.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::TestServer;
use embedenv_tests::http::ask_at;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_that_it_is_ready_and_counts_for_who_may_read_it() -> Result<()> {
    let server = TestServer::with(|config| config.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)))).await?;
    let host = server.address().to_string();
    let ask = async |address: SocketAddr, path: &'static str| ask_at(address, "GET", &host, path, &[], b"").await;
    let ready = ask(server.address(), "/readyz").await?;
    ensure!((ready.status, ready.text().as_str()) == (200, "ready\n"), "{}", ready.text());
    server.room().await?;
    ensure!(ask(server.address(), "/metrics").await?.status == 404, "strangers read none of it");
    let own = server.running()?.others().metrics.context("an address of its own")?;
    let told = ask(own, "/metrics").await?;
    ensure!(
        told.field("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text")),
        "{}",
        told.head
    );
    let lines = told.text();
    for line in ["embedenv_rooms 1", "embedenv_sandboxes_running 1", "embedenv_rooms_opened_total{outcome=\"ready\"} 1"]
    {
        ensure!(lines.lines().any(|found| found == line), "{line} is not in\n{lines}");
    }
    ensure!(ask(own, "/readyz").await?.status == 200 && ask(own, "/w").await?.status == 404);
    Ok(())
}
