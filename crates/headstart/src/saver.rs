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
    #[cfg(feature = "fleet")]
    pub(crate) fleet: Option<Arc<crate::membership::Membership>>,
}

impl Saver {
    pub(crate) fn save(&self) -> io::Result<()> {
        let bytes = state::write(&self.engine.secret, &self.engine.learner, self.engine.now());
        #[cfg(feature = "fleet")]
        if let Some(memory) = self.fleet.as_ref().and_then(|fleet| fleet.memory()) {
            // First: what it says too much of is lost, what it says too little of would count twice.
            std::fs::write(crate::membership::beside(self.file.path()), memory)?;
        }
        self.file.write(&bytes)
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
