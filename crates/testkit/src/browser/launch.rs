//! How a browser is started, with a profile that trusts one server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::network_log;
use crate::Program;

/// A browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Debian's Chromium, by chromedriver.
    Chromium,
    /// Debian's Firefox ESR.
    Firefox,
}

impl Engine {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
        }
    }
}

/// The options with which a browser is started.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The browser.
    pub engine: Engine,
    /// Its profile: cookies and cache outlive it here.
    pub profile: &'a Path,
    /// The public key that Chromium trusts: see [`Certificate::spki`](crate::tls::Certificate::spki). With an error of the
    /// certificate that is merely ignored, Chromium caches nothing and fetches every hint twice.
    pub spki: &'a str,
    /// A command to run it by, with its arguments; none if empty.
    pub prefix: &'a [String],
    /// More flags of Chromium.
    pub flags: &'a [String],
}

impl Launch<'_> {
    /// Starts it; returns where it takes commands.
    pub(super) fn start(&self) -> Result<(Program, SocketAddr), String> {
        let own: Vec<String> = match self.engine {
            Engine::Chromium => vec!["chromedriver".to_owned(), "--port=0".to_owned()],
            Engine::Firefox => {
                let profile = self.profile.join("firefox");
                std::fs::create_dir_all(&profile)
                    .and_then(|()| std::fs::write(profile.join("user.js"), PREFERENCES))
                    .map_err(|error| format!("the profile: {error}"))?;
                let profile = profile.display().to_string();
                ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", &profile]
                    .map(str::to_owned)
                    .to_vec()
            }
        };
        let words: Vec<&String> = self.prefix.iter().chain(&own).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).env("MOZ_DISABLE_AUTO_SAFE_MODE", "1");
        let announces = match self.engine {
            Engine::Chromium => "started successfully on port ",
            Engine::Firefox => "WebDriver BiDi listening on ",
        };
        // ChromeDriver takes a port over IPv6 first, and ends if somebody has the same one over IPv4.
        let ended = |line: &str| line.contains("port not available");
        let mut start = || Program::try_start(&mut command).map_err(|error| format!("{}: {error}", words[0]));
        let mut program = start()?;
        let mut attempts = 1;
        let line = loop {
            let line = program.line_where(0, "with a port", |line| line.contains(announces) || ended(line));
            if !ended(&line) || attempts == 5 {
                break line;
            }
            attempts += 1;
            program = start()?;
        };
        let digits = line.trim_end_matches('.').rsplit([' ', ':']).next().unwrap_or_default();
        let port: u16 = digits.parse().map_err(|_| format!("no port in {line}"))?;
        Ok((program, SocketAddr::from(([127, 0, 0, 1], port))))
    }

    pub(super) fn capabilities(&self) -> Value {
        match self.engine {
            Engine::Chromium => json!({ "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": { "args": self.chromium_flags() },
            } }),
            Engine::Firefox => json!({ "alwaysMatch": { "acceptInsecureCerts": true } }),
        }
    }

    fn chromium_flags(&self) -> Vec<String> {
        let fixed = [
            "--headless",
            // Debian's CI images run as root, where the sandbox refuses to start.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=800,600",
        ];
        let ours = [
            format!("--user-data-dir={}", self.profile.join("chromium").display()),
            format!("--ignore-certificate-errors-spki-list={}", self.spki),
            format!("--log-net-log={}", network_log(self.profile).display()),
        ];
        fixed.into_iter().map(str::to_owned).chain(ours).chain(self.flags.iter().cloned()).collect()
    }
}

/// Nothing that Firefox asks for by itself; and its own messages where BiDi shows them.
const PREFERENCES: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.safebrowsing.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.startup.page", 0);
user_pref("captivedetect.canonicalURL", "");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.disableIPv6", true);
user_pref("network.http.http3.enable", false);
user_pref("network.prefetch-next", false);
user_pref("security.sandbox.content.level", 0);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
"#;
