//! Runs tests several at once, the long ones only when asked to.

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use testkit::tools;

/// How many run at once.
const AT_ONCE: usize = 4;

type Body = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync>;

/// A test with its name.
pub(crate) struct Test {
    name: &'static str,
    body: Body,
}

impl Test {
    pub(crate) fn new<F: Future<Output = ()> + 'static>(
        name: &'static str,
        body: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Test { name, body: Box::new(move || Box::pin(body())) }
    }
}

/// Runs what the command line asks for: `--all` for the long ones too, and a part of a name.
pub(crate) fn run(short: Vec<Test>, long: Vec<Test>) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut tests = short;
    // One that is named is run.
    if has("--all") || !wanted.is_empty() {
        tests.extend(long);
    }
    tests.retain(|test| {
        let fits =
            |name: &&String| if has("--exact") { test.name == **name } else { test.name.contains(name.as_str()) };
        wanted.is_empty() || wanted.iter().any(fits)
    });
    if has("--list") {
        // For test runners that ask before they run.
        let ignored = has("--ignored");
        tests.iter().filter(|_| !ignored).for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    if !tools::have(&["redis-server", "redis-cli"]) {
        return ExitCode::SUCCESS;
    }
    let (queue, failed) = (Mutex::new(tests.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(test) = queue.lock().expect("no panic under the lock").next() else { break };
                    let began = Instant::now();
                    // A thread of its own has a name for reports, and may panic.
                    let done = std::thread::scope(|own| {
                        let thread = std::thread::Builder::new().name(test.name.to_owned());
                        thread.spawn_scoped(own, || on_a_runtime(&test.body)).expect("a thread").join()
                    });
                    let said = if done.is_ok() { "ok" } else { "FAILED" };
                    println!("test {} ... {said} ({:.1} s)", test.name, began.elapsed().as_secs_f64());
                    if done.is_err() {
                        failed.lock().expect("no panic under the lock").push(test.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic under the lock");
    println!("{} of {} failed: {}", failed.len(), tests.len(), failed.join(", "));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn on_a_runtime(body: &Body) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(body());
}
