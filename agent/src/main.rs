//! The program inside every sandbox: it runs programs on pseudo-terminals, works on files, dials ports and tells the
//! server what changes, over one link.
//!
//! One thread and one epoll loop do everything that must be prompt ([`serve`]); what may wait for a disk goes to a
//! few workers ([`work`]). It usually is process 1 of its sandbox, and must then never end by accident: it reaps
//! every orphan and panics abort. It must never write anywhere but beneath the home, and it says nothing but on the
//! link (and, before that stands, one line on standard error).
//!
//! The same program has two small modes beside [`serve`]: [`relay`] carries the link into a container, and [`prepare`]
//! runs once for an image, when it is built.

#![allow(unreachable_pub)] // A program exports nothing; `pub` here says what a module offers to the others.

mod arguments;
mod environment;
mod files;
mod filter;
mod limits;
mod link;
mod pipe;
mod poller;
mod ports;
mod prepare;
mod processes;
mod reap;
mod relay;
mod serve;
mod session;
mod work;

use std::path::Path;
use std::process::ExitCode;

use arguments::Mode;

fn main() -> ExitCode {
    let mode = match Mode::parse(std::env::args_os().skip(1)) {
        Ok(mode) => mode,
        Err(error) => {
            eprintln!("embedenv-agent: {error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let result = match mode {
        Mode::Serve(settings) => said(serve::Agent::start(*settings).and_then(serve::Agent::run)),
        Mode::Connect(name) => said(relay::run(&name)),
        Mode::Prepare => said(prepare::run(Path::new("/"), &std::env::var("PATH").unwrap_or_default())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("embedenv-agent: {text}");
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, as one line.
fn said<E: std::error::Error>(result: Result<(), E>) -> Result<(), String> {
    result.map_err(|error| {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        text
    })
}
