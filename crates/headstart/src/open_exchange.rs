//! An exchange under way behind the tower layer.

use std::sync::{Arc, Mutex};

use http::response;

use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::response as answer;
use crate::transfer::Transfer;

/// The state of a connection that its exchanges share. Those of an HTTP/1.1 connection come one after another, so the lock
/// is never waited for.
pub(crate) type SharedConnection = Arc<Mutex<ConnectionState>>;

/// An exchange under way. The learner is told of its end when it is dropped.
pub(crate) struct OpenExchange {
    engine: Arc<Engine>,
    connection: SharedConnection,
    exchange: Option<Exchange>,
    transfer: Transfer,
}

impl OpenExchange {
    pub(crate) fn new(engine: Arc<Engine>, connection: SharedConnection, exchange: Exchange) -> Self {
        OpenExchange { engine, connection, exchange: Some(exchange), transfer: Transfer::Incomplete }
    }

    /// The response's head is known, and the length of its body where that is.
    pub(crate) fn answered(&mut self, head: &mut response::Parts, bytes: Option<u64>) {
        let (Some(exchange), Ok(mut connection)) = (&mut self.exchange, self.connection.lock()) else {
            return;
        };
        exchange.answered(&self.engine, head, bytes.filter(|bytes| *bytes > 0), self.engine.now());
        if let Some(page) = exchange.page()
            && answer::is_page(head)
        {
            page.read_named(&connection, head);
            page.commit(&self.engine, &mut connection, head, &[]);
        }
    }

    /// The whole body was handed over.
    pub(crate) fn completed(&mut self) {
        self.transfer = Transfer::Complete;
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        if let (Some(exchange), Ok(mut connection)) = (self.exchange.take(), self.connection.lock()) {
            exchange.ended(&self.engine, &mut connection, self.transfer, self.engine.now());
        }
    }
}
