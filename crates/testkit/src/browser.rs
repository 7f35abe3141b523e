//! Chromium and Firefox without a window, driven by WebDriver BiDi over its WebSocket.
//!
//! Chromium speaks BiDi through chromedriver, Firefox by itself.

mod bidi;
mod launch;

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::Program;
use bidi::Bidi;
pub use launch::{Engine, Launch};

/// A running browser with one tab. Ended when dropped; [`close`](Self::close) waits until its logs are written to their end.
#[derive(Debug)]
pub struct Browser {
    engine: Engine,
    bidi: Bidi,
    context: String,
    driver: Program,
    messages: Vec<String>,
    is_closed: bool,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    ///
    /// If it does not start, or does not take commands.
    pub fn start(launch: &Launch<'_>) -> Result<Self, String> {
        let (driver, address) = launch.start()?;
        let mut bidi = Bidi::connect(address)?;
        bidi.call("session.new", &json!({ "capabilities": launch.capabilities() }))?;
        let tree = bidi.call("browsingContext.getTree", &json!({}))?;
        let context = tree["contexts"][0]["context"].as_str().ok_or("the browser has no tab")?.to_owned();
        bidi.call("session.subscribe", &json!({ "events": ["log.entryAdded"] }))?;
        let mut browser = Self { engine: launch.engine, bidi, context, driver, messages: Vec::new(), is_closed: false };
        browser.listen()?;
        Ok(browser)
    }

    /// The browser's engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Loads a page; returns after its load event.
    ///
    /// # Errors
    ///
    /// If the page cannot be loaded.
    pub fn open(&mut self, url: &str) -> Result<(), String> {
        let params = json!({ "context": self.context, "url": url, "wait": "complete" });
        self.bidi.call("browsingContext.navigate", &params).map(drop)
    }

    /// Opens another tab, which the other methods are about from now on; the tabs before stay open.
    ///
    /// # Errors
    ///
    /// If the browser refuses.
    pub fn new_tab(&mut self) -> Result<(), String> {
        let answer = self.bidi.call("browsingContext.create", &json!({ "type": "tab" }))?;
        answer["context"].as_str().ok_or("no tab")?.clone_into(&mut self.context);
        self.listen()
    }

    /// Closes the tab, as its button does; the methods are then about the tab that is first.
    ///
    /// # Errors
    ///
    /// If the browser refuses, or has no tab left.
    pub fn close_tab(&mut self) -> Result<(), String> {
        self.bidi.call("browsingContext.close", &json!({ "context": self.context }))?;
        let tree = self.bidi.call("browsingContext.getTree", &json!({ "maxDepth": 0 }))?;
        tree["contexts"][0]["context"].as_str().ok_or("no tab is left")?.clone_into(&mut self.context);
        Ok(())
    }

    /// The largest contentful paint of the page as DevTools see it, in milliseconds since its navigation. Chromium only.
    ///
    /// # Errors
    ///
    /// If the browser tells of none.
    pub fn largest_contentful_paint(&mut self) -> Result<f64, String> {
        const EVENT: &str = "goog:cdp.PerformanceTimeline.timelineEventAdded";
        let answer = self.bidi.call("goog:cdp.getSession", &json!({ "context": self.context }))?;
        self.bidi.call("session.subscribe", &json!({ "events": [EVENT] }))?;
        let params = json!({ "eventTypes": ["largest-contentful-paint"] });
        // What came before is told, too.
        let command = json!({ "method": "PerformanceTimeline.enable", "params": params, "session": answer["session"] });
        self.bidi.call("goog:cdp.sendCommand", &command)?;
        let origin = self.run("return performance.timeOrigin;")?.as_f64().ok_or("no time of the navigation")?;
        let events = self.bidi.take_events();
        let last = events.iter().rev().find(|event| event["method"] == EVENT).ok_or("no paint was told of")?;
        let details = &last["params"]["params"]["event"]["lcpDetails"];
        let seconds = ["renderTime", "loadTime"].map(|name| details[name].as_f64().unwrap_or_default());
        let painted = seconds.into_iter().find(|seconds| *seconds > 0.0).ok_or_else(|| format!("no time in {last}"))?;
        Ok(painted * 1000.0 - origin)
    }

    /// Loads the page again, as its button does.
    ///
    /// # Errors
    ///
    /// If the page cannot be loaded.
    pub fn reload(&mut self) -> Result<(), String> {
        let params = json!({ "context": self.context, "wait": "complete" });
        self.bidi.call("browsingContext.reload", &params).map(drop)
    }

    /// Loads the page again and takes nothing from the cache, as a reload with the shift key does.
    ///
    /// # Errors
    ///
    /// If the page cannot be loaded.
    pub fn reload_without_cache(&mut self) -> Result<(), String> {
        if self.engine == Engine::Chromium {
            let params = json!({ "context": self.context, "wait": "complete", "ignoreCache": true });
            return self.bidi.call("browsingContext.reload", &params).map(drop);
        }
        // Firefox 153 has no such parameter in BiDi, but an argument of its own in the page.
        self.run("setTimeout(() => location.reload(true));")?;
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        Ok(())
    }

    /// Goes so many pages forward in the history of the tab, or back. Returns before the page is there.
    ///
    /// # Errors
    ///
    /// If there is no such page.
    pub fn traverse(&mut self, delta: i32) -> Result<(), String> {
        let params = json!({ "context": self.context, "delta": delta });
        self.bidi.call("browsingContext.traverseHistory", &params).map(drop)
    }

    /// Runs the body of an async function in the page and returns what it returns, as JSON.
    ///
    /// # Errors
    ///
    /// If the script throws.
    pub fn run(&mut self, body: &str) -> Result<Value, String> {
        let function = format!("async () => JSON.stringify(await (async () => {{ {body} }})() ?? null)");
        let params = json!({
            "functionDeclaration": function, "awaitPromise": true, "target": { "context": self.context },
        });
        let answer = self.bidi.call("script.callFunction", &params)?;
        match answer["result"]["value"].as_str() {
            Some(text) => serde_json::from_str(text).map_err(|error| format!("{error} in {text}")),
            None => Err(format!("the script failed: {}", answer["exceptionDetails"]["text"])),
        }
    }

    /// Paths of what the page used, by its Resource Timing.
    ///
    /// # Errors
    ///
    /// If the page is gone.
    pub fn used(&mut self) -> Result<Vec<String>, String> {
        let script = "return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname);";
        let paths = self.run(script)?;
        Ok(paths.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The visible part of the page as a PNG.
    ///
    /// # Errors
    ///
    /// If there is no picture.
    pub fn screenshot(&mut self) -> Result<Vec<u8>, String> {
        let answer = self.bidi.call("browsingContext.captureScreenshot", &json!({ "context": self.context }))?;
        let text = answer["data"].as_str().unwrap_or_default();
        BASE64.decode(text.as_bytes()).map_err(|error| format!("no picture: {error}"))
    }

    /// Sets the size of the visible part, in CSS pixels.
    ///
    /// # Errors
    ///
    /// If the browser refuses.
    pub fn resize(&mut self, width: u32, height: u32) -> Result<(), String> {
        let viewport = json!({ "width": width, "height": height });
        self.bidi
            .call("browsingContext.setViewport", &json!({ "context": self.context, "viewport": viewport }))
            .map(drop)
    }

    /// Messages on the browser's console since the last call: warnings and errors, of scripts and of the browser itself.
    ///
    /// # Errors
    ///
    /// If the browser is gone.
    pub fn console(&mut self) -> Result<Vec<String>, String> {
        // An answer comes after the events that were there before.
        self.bidi.call("browsingContext.getTree", &json!({ "maxDepth": 0 }))?;
        let events = self.bidi.take_events();
        let texts = events.iter().filter_map(|event| {
            let entry = match event["method"].as_str()? {
                "log.entryAdded" => &event["params"],
                "goog:cdp.Log.entryAdded" => &event["params"]["params"]["entry"],
                _ => return None,
            };
            let level = entry["level"].as_str()?;
            matches!(level, "warn" | "warning" | "error").then(|| entry["text"].as_str().map(str::to_owned))?
        });
        self.messages.extend(texts);
        Ok(std::mem::take(&mut self.messages))
    }

    /// The cookies of the page and of its site, as the browser's protocol tells of them.
    ///
    /// # Errors
    ///
    /// If the browser has no answer.
    pub fn cookies(&mut self) -> Result<Vec<Value>, String> {
        let params = json!({ "partition": { "type": "context", "context": self.context } });
        let answer = self.bidi.call("storage.getCookies", &params)?;
        Ok(answer["cookies"].as_array().cloned().unwrap_or_default())
    }

    /// Ends the browser in an orderly way.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub fn close(mut self) -> Result<(), String> {
        self.end();
        self.bidi.wait_for_close();
        if self.engine == Engine::Firefox { self.driver.wait_for_end().map(drop) } else { Ok(()) }
    }

    fn end(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            // It may end before it answers.
            let _ = self.bidi.call("browser.close", &json!({}));
        }
    }

    /// Chromium's own messages (deprecations, unused preloads) are no console messages of BiDi.
    fn listen(&mut self) -> Result<(), String> {
        if self.engine == Engine::Chromium {
            let answer = self.bidi.call("goog:cdp.getSession", &json!({ "context": self.context }))?;
            let session = answer["session"].clone();
            self.bidi.call("session.subscribe", &json!({ "events": ["goog:cdp.Log.entryAdded"] }))?;
            let params = json!({ "method": "Log.enable", "params": {}, "session": session });
            self.bidi.call("goog:cdp.sendCommand", &params)?;
        }
        Ok(())
    }
}

/// Chromium would outlive its driver.
impl Drop for Browser {
    fn drop(&mut self) {
        self.end();
    }
}

/// The programs that a browser needs, for [`tools::have`](crate::tools::have).
pub fn programs(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Chromium => &["chromium", "chromedriver"],
        Engine::Firefox => &["firefox-esr"],
    }
}

/// The path at which a profile keeps its network log, if the browser was told to write one.
pub fn network_log(profile: &Path) -> std::path::PathBuf {
    profile.join("net-log.json")
}
