//! The program `headstart`: a web server that sends a page's assets before they are asked for.

#![forbid(unsafe_code)]

mod access_log;
mod access_log_writer;
mod acme;
mod admin;
mod args;
mod assemble;
mod assembly;
mod baselines;
mod beacon;
mod bots;
mod certificates;
mod challenges;
mod check;
mod config;
mod descriptors;
mod digest;
mod disorder;
mod durations;
mod evaluate;
mod evaluate_table;
mod explain;
mod explain_table;
mod fleet;
mod fleet_command;
mod gain;
mod gate;
mod gatherer;
mod identity;
mod learn_log;
mod listen;
mod log;
mod merge_states;
mod names;
mod operator;
mod options;
mod origin;
mod overrides;
mod printable;
mod reasons_text;
mod record;
mod redirect;
mod replay;
mod router;
mod routes;
mod running;
mod score;
mod self_signed;
mod serve;
mod served;
mod servers;
mod show_state;
mod signals;
mod site;
mod snapshots;
mod state;
mod systemd;
mod tally;
mod target;
mod throttle;
mod tls;
mod traffic;
mod trial;
mod views;

use std::process::ExitCode;

use args::{Command, Parsed};
use overrides::Given;

/// The exit code for input that cannot be used: a flag, a file, an address.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    // The provider of everything that speaks TLS in this process, upstreams included. It is set once and nobody was
    // before us.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run() {
        Ok(code) => code,
        Err(error) => {
            log::complain(format_args!("{error:#}"));
            ExitCode::from(BAD_INPUT)
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    // The libraries choose none; the first thing that is done, so that each finds it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = match args::parse()? {
        Parsed::Answer(text) => {
            log::say(format_args!("{}", text.trim_end()));
            return Ok(ExitCode::SUCCESS);
        }
        Parsed::Command(command) => *command,
    };
    match command {
        Command::Check(args) => check::run(args),
        Command::Digest(args) => digest::run(args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Fleet(args) => fleet_command::run(args),
        Command::Gain(args) => gain::run(&args),
        Command::Learn(args) => learn_log::run(args),
        Command::Proxy(args) => serve::run(Given::of_proxy(args)),
        Command::State(args) => show_state::run(&args),
        Command::Completions { shell } => {
            args::print_completions(shell);
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { directory } => args::write_manual(&directory).map(|()| ExitCode::SUCCESS),
        Command::Settings => {
            log::say(format_args!("{}", config::example::text().trim_end()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(args) => serve::run(Given::of_serve(args)),
    }
}
