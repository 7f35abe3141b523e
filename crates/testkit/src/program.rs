//! A program that runs beside a test, with its lines read as they come.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. Killed when dropped; if a test fails then, what it printed goes with the report.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Arc<Lines>,
}

impl Program {
    /// Starts it with the input that the command has; both its outputs are read.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
    }

    /// Starts it with the input that the command has; both its outputs are read.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn try_start(command: &mut Command) -> std::io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let lines = Arc::new(Lines::default());
        lines.follow(child.stdout.take(), false);
        lines.follow(child.stderr.take(), true);
        Ok(Self { child, lines })
    }

    /// Waits for a line with this in it, after so many that were there before.
    ///
    /// # Panics
    ///
    /// If none comes within [`PATIENCE`], or the program ends before.
    #[track_caller]
    pub fn line(&self, after: usize, part: &str) -> String {
        self.line_where(after, &format!("with {part:?}"), |line| line.contains(part))
    }

    /// The same for a line that is described by a function; `what` describes it in words.
    ///
    /// # Panics
    ///
    /// If none comes within [`PATIENCE`], or the program ends before.
    #[track_caller]
    pub fn line_where(&self, after: usize, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let found = self.lines.wait(after, wanted);
        found.unwrap_or_else(|| panic!("no line {what} in:\n{}", self.printed()))
    }

    /// The number of lines so far.
    pub fn count(&self) -> usize {
        self.lines().len()
    }

    /// Each line so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.state().seen.clone()
    }

    /// All that it has printed so far.
    pub fn printed(&self) -> String {
        self.lines().join("\n")
    }

    /// Its standard error so far.
    pub fn errors(&self) -> String {
        self.lines.state().errors.join("\n")
    }

    /// The port in its first line with `SCHEME://`.
    ///
    /// # Panics
    ///
    /// If no such line comes.
    #[track_caller]
    pub fn port(&self, scheme: &str) -> u16 {
        let start = format!("{scheme}://");
        let port = |line: &str| {
            let (_, address) = line.split_once(&start)?;
            let (_, port) = address.split_once(':')?;
            port.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u16>().ok().filter(|port| *port != 0)
        };
        let line = self.line_where(0, &format!("with a port after {start}"), |line| port(line).is_some());
        port(&line).unwrap_or_else(|| panic!("no port in {line}"))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs").success());
    }

    /// Has it read its configuration again, and returns what it says to that.
    ///
    /// # Panics
    ///
    /// If it says nothing.
    #[track_caller]
    pub fn reload(&self) -> String {
        let before = self.count();
        self.signal("HUP");
        self.line(before, "reloaded")
    }

    /// Whether it still runs.
    ///
    /// # Panics
    ///
    /// If the system does not say.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// Waits for its end; returns how it ended and what it printed.
    ///
    /// # Panics
    ///
    /// If it runs on for longer than [`PATIENCE`].
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = self.wait_for_end().unwrap_or_else(|error| panic!("{error}"));
        (status, self.printed())
    }

    /// Waits until it has ended and all that it printed is read.
    ///
    /// # Errors
    ///
    /// If it runs on for longer than [`PATIENCE`].
    ///
    /// # Panics
    ///
    /// If the system does not say whether it runs.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                self.lines.wait_for_end();
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(format!("does not end: {}", self.printed()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Tells it to end in an orderly way (SIGTERM), and waits for that.
    ///
    /// # Panics
    ///
    /// If it runs on for longer than [`PATIENCE`].
    pub fn stop(self) -> (ExitStatus, String) {
        self.signal("TERM");
        self.wait()
    }

    /// Ends it without giving it a chance to save anything (SIGKILL); returns what it printed.
    ///
    /// # Panics
    ///
    /// If it has ended already.
    pub fn kill(mut self) -> String {
        assert!(self.is_alive(), "it ended by itself: {}", self.printed());
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.lines.wait_for_end();
        self.printed()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the program printed:\n{}", self.printed());
        }
    }
}

/// Lines printed by a program, as they come.
#[derive(Debug, Default)]
struct Lines {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    seen: Vec<String>,
    /// Those of its standard error.
    errors: Vec<String>,
    /// Outputs that are still being read.
    open: usize,
}

impl Lines {
    fn follow(self: &Arc<Self>, from: Option<impl Read + Send + 'static>, is_error: bool) {
        let Some(from) = from else { return };
        let this = Arc::clone(self);
        this.state().open += 1;
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                let mut state = this.state();
                if is_error {
                    state.errors.push(line.clone());
                }
                state.seen.push(line);
                drop(state);
                this.more.notify_all();
            }
            this.state().open -= 1;
            this.more.notify_all();
        });
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }

    fn wait(&self, after: usize, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let find = |state: &State| state.seen.iter().skip(after).find(|line| wanted(line)).cloned();
        let waiting = |state: &mut State| state.open > 0 && find(state).is_none();
        let (state, _) =
            self.more.wait_timeout_while(self.state(), PATIENCE, waiting).expect("no panic under the lock");
        find(&state)
    }

    /// Waits until the outputs are read to their end: processes that a program left behind may hold them open.
    fn wait_for_end(&self) {
        let _ = self.more.wait_timeout_while(self.state(), Duration::from_secs(2), |state| state.open > 0);
    }
}
