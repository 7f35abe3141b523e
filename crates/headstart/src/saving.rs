//! Keeps evidence beyond the life of the process.

use std::io;
use std::path::PathBuf;
#[cfg(feature = "serve")]
use std::sync::Arc;
use std::time::Duration;

use crate::Headstart;
use crate::builder::Builder;
#[cfg(feature = "serve")]
use crate::saver::Saver;

impl Builder {
    /// Keeps what is learned in a file: [`build`](Self::build) reads it if it is there, [`serve`](Headstart::serve) writes
    /// it every [interval](Self::state_interval) and at its end, dropping the last handle does, and so does
    /// [`Headstart::save`]. The file is replaced as a whole, and only its owner may read it. It holds the secret of
    /// cookies, so it takes the place of [`secret`](Self::secret) and [`snapshot`](Self::snapshot).
    ///
    /// ```
    /// use headstart::Headstart;
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("learned.headstart");
    /// let headstart = Headstart::builder().state(&path).build()?;
    /// drop(headstart);
    /// assert!(path.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = Some(path.into());
        self
    }

    /// Takes the half-life of the snapshot, if there is one: a tool that looks at a snapshot or adds to it does not know what
    /// the server was told, and evidence of another half-life is left out.
    pub fn half_life_of_snapshot(mut self) -> Self {
        self.keeps_half_life = true;
        self
    }

    /// How often [`serve`](Headstart::serve) writes the file of [`state`](Self::state): a crash loses at most what was
    /// learned since. 30 s.
    pub fn state_interval(mut self, interval: Duration) -> Self {
        self.state_interval = interval;
        self
    }
}

impl Headstart {
    /// Writes what was learned to the file of [`Builder::state`](crate::Builder::state) now; without one, does nothing.
    ///
    /// [`serve`](crate::Headstart) does so every [interval](crate::Builder::state_interval) and at its end, and dropping
    /// the last handle does. A program that uses the layer alone calls this from a timer of its own; it blocks for the
    /// time of a disk write.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the one before it stays.
    pub fn save(&self) -> io::Result<()> {
        self.saver.as_ref().map_or(Ok(()), |saver| saver.save())
    }

    /// Saves whenever it is due, for as long as this is polled.
    #[cfg(feature = "serve")]
    pub(crate) async fn keep_saving(&self) -> std::convert::Infallible {
        let Some(saver) = &self.saver else { return std::future::pending().await };
        loop {
            // Several listeners share the file; the first of them to see that it is due saves.
            tokio::time::sleep(saver.file.interval()).await;
            if saver.file.is_due() {
                save_on_a_thread(Arc::clone(saver), Saver::save).await;
            }
        }
    }

    /// Saves with all open visits, at the end of a server.
    #[cfg(feature = "serve")]
    pub(crate) async fn save_at_the_end(&self) {
        if let Some(saver) = &self.saver {
            let at_the_end = |saver: &Saver| {
                saver.engine.learner.finish(saver.engine.now());
                saver.save()
            };
            save_on_a_thread(Arc::clone(saver), at_the_end).await;
        }
    }
}

#[cfg(feature = "serve")]
async fn save_on_a_thread(saver: Arc<Saver>, save: impl FnOnce(&Saver) -> io::Result<()> + Send + 'static) {
    let path = saver.file.path().to_owned();
    let done = tokio::task::spawn_blocking(move || save(&saver)).await;
    if let Ok(Err(error)) = done {
        tracing::error!(path = %path.display(), %error, "what was learned could not be saved");
    }
}
