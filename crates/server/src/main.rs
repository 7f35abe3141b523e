//! The program `headstart`: a web server that sends a page's assets before they are asked for.

#![forbid(unsafe_code)]

mod access_log;
mod access_log_writer;
mod admin;
mod args;
mod baselines;
mod compress;
mod digest;
mod evaluate;
mod evaluate_table;
mod explain;
mod learn_log;
mod listen;
mod log;
mod names;
mod origin;
mod page_views;
mod proxy;
mod replay;
mod routes;
mod self_signed;
mod serve;
mod signals;
mod site;
mod snapshots;
mod state;
mod static_files;
mod tls;
mod traffic;

use std::process::ExitCode;

use args::{Command, Parsed};

/// The exit code for input that cannot be used: a flag, a file, an address.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            log::complain(format_args!("{error:#}"));
            ExitCode::from(BAD_INPUT)
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    match args::parse()? {
        Parsed::Answer(text) => {
            log::say(format_args!("{}", text.trim_end()));
            Ok(ExitCode::SUCCESS)
        }
        Parsed::Command(Command::Digest(args)) => digest::run(args),
        Parsed::Command(Command::Evaluate(args)) => evaluate::run(&args),
        Parsed::Command(Command::Explain(args)) => explain::run(args),
        Parsed::Command(Command::Learn(args)) => learn_log::run(args),
        Parsed::Command(Command::Proxy(args)) => {
            log::trace()?;
            let upstreams = args.upstreams()?;
            serve::run(serve::Source::Upstream(upstreams), args.options)
        }
        Parsed::Command(Command::Serve(args)) => {
            log::trace()?;
            serve::run(serve::Source::Directory(args.directory), args.options)
        }
    }
}
