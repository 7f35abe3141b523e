//! The proxy over real sockets: a scripted upstream behind it, raw clients in front of it.

mod addresses;
mod compressing;
mod faults;
mod framing;
mod http2;
mod kit;
mod relaying;
mod sharing;
mod smuggling;
mod websocket;
