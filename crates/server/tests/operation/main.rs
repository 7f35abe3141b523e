//! The program as an operator runs it: configured by a file, reloaded, restarted, under a service manager.
#![forbid(unsafe_code)]
#![cfg(unix)]

mod acme;
mod applications;
mod check;
mod client;
mod container;
mod kills;
mod mistakes;
mod packaging;
mod redirects;
mod reload;
mod restarts;
mod rig;
mod several_servers;
mod start;
mod stop;
mod systemd;
