//! Writes what was learned to the state file.

use std::io;
use std::sync::Arc;

use crate::engine::Engine;
use crate::state;
use crate::state_file::StateFile;

/// Saves to the state file, and once more when the last handle is dropped.
pub(crate) struct Saver {
    pub(crate) engine: Arc<Engine>,
    pub(crate) file: StateFile,
}

impl Saver {
    pub(crate) fn save(&self) -> io::Result<()> {
        self.file.write(&state::write(&self.engine.secret, &self.engine.learner, self.engine.now()))
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.engine.learner.finish(self.engine.now());
        if let Err(error) = self.save() {
            tracing::error!(%error, "what was learned could not be saved at the end");
        }
    }
}
