//! The program inside every sandbox: it runs programs on pseudo-terminals, works on files, dials ports and tells the
//! server what changes, over one link.
//!
//! One thread and one epoll loop do everything that must be prompt ([`serve`]); what may wait for a disk goes to a
//! few workers ([`work`]). It usually is process 1 of its sandbox, and must then never end by accident: it reaps
//! every orphan and panics abort. It must never write anywhere but beneath the home, and it says nothing but on the
//! link (and, before that stands, one line on standard error).

#![allow(unreachable_pub)] // A program exports nothing; `pub` here says what a module offers to the others.

mod arguments;
mod environment;
mod files;
mod limits;
mod link;
mod poller;
mod ports;
mod processes;
mod reap;
mod serve;
mod session;
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    let settings = match arguments::Settings::parse(std::env::args_os().skip(1)) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("embedenv-agent: {error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match serve::Agent::start(settings).and_then(serve::Agent::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            eprintln!("embedenv-agent: {text}");
            ExitCode::FAILURE
        }
    }
}
