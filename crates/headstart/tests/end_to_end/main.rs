//! The facade over real sockets: an axum application, and clients that take pushes, act on hints, or do neither.

mod assets;
mod beacon;
mod broken_framing;
mod comparison;
mod connections;
mod cookie;
mod events;
mod half_closed;
mod kit;
mod last_answer;
mod layer;
mod learning;
mod markup;
mod outlets;
mod rules;
mod serving;
mod state;
mod warnings;
mod websocket;
