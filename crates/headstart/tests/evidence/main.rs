//! Evidence as the engine takes it: clients on networks of their own, without sockets.

mod caches;
mod client;
mod networks;
mod pages;
mod reasons;
mod sites;
