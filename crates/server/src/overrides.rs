//! Flags as settings: each flag is a key of the file, and goes over it.

use std::path::PathBuf;

use crate::args::{Options, Proxy, Serve};
use crate::config::layers::{self, Flag};
use crate::config::place::Place;
use crate::config::tree::Node;
use crate::config::{Problem, Problems, Settings, Surroundings};
use crate::{site, systemd};

/// Where the settings of a program that serves come from. Kept, so that they can be read again.
#[derive(Debug)]
pub(crate) struct Given {
    /// The configuration file.
    pub(crate) file: Option<PathBuf>,
    options: Options,
    /// What is served, if that was typed.
    served: Option<Node>,
}

impl Given {
    pub(crate) fn of_serve(args: Serve) -> Self {
        let served = args
            .directory
            .map(|directory| Node::list("DIR", vec![one_site("DIR", "root", &directory.to_string_lossy())]));
        Self::new(args.options, served)
    }

    pub(crate) fn of_proxy(args: Proxy) -> Self {
        let mut site = one_site("URL", "upstream", &args.upstreams.join(","));
        if let Some(cache) = &args.cache {
            site.set(&["proxy", "cache"], Node::loose("--cache", cache));
        }
        Self::new(args.options, Some(Node::list("URL", vec![site])))
    }

    pub(crate) fn of_file(file: PathBuf) -> Self {
        Self { file: Some(file), options: Options::default(), served: None }
    }

    fn new(options: Options, served: Option<Node>) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = options.config.clone().or_else(|| variable("HEADSTART_CONFIG"));
        let file = match named {
            _ if options.no_config => None,
            Some(file) => Some(file),
            // Whoever names what to serve does not ask for the machine's own sites.
            None if served.is_some() => None,
            None => layers::default_file(variable),
        };
        Self { file, options, served }
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub(crate) fn settings(&self) -> Result<Settings, Vec<Problem>> {
        let (settings, problems) = self.read();
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// Reads all of it, with defaults in place of what is wrong.
    pub(crate) fn read(&self) -> (Settings, Vec<Problem>) {
        let problems = Problems::default();
        let mut flags = flags(&self.options, &problems);
        flags.extend(self.served.clone().map(|node| (vec!["site".to_owned()], node)));
        let root = layers::combine(self.file.as_deref(), std::env::vars_os(), flags, &problems);
        let surroundings = Surroundings { activated: !systemd::sockets().is_empty(), example: site::example() };
        (Settings::read(root, &problems, &surroundings), problems.into_sorted())
    }
}

/// The list `site` with a single site in it.
fn one_site(flag: &str, key: &str, value: &str) -> Node {
    let mut site = Node::table(flag);
    site.set(&[key], Node::loose(flag, value));
    site
}

fn flags(options: &Options, problems: &Problems) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut add = |flag: &str, path: &str, value: &str| {
        flags.push((path.split('.').map(str::to_owned).collect(), Node::loose(flag, value)));
    };
    for assignment in &options.set {
        match assignment.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                let key = key.trim();
                add(&format!("--set {key}"), key, value.trim());
            }
            _ => problems.add(&Place::named("--set"), "", format!("{assignment:?} is not of the form KEY=VALUE")),
        }
    }
    for (flag, path, value) in [
        ("--cert", "tls.cert", &options.cert),
        ("--key", "tls.key", &options.key),
        ("--state-dir", "state.dir", &options.state_dir),
        ("--state", "state.file", &options.state),
        ("--snapshot-interval", "state.interval", &options.snapshot_interval),
        ("--window", "learn.window", &options.window),
        ("--holdout", "learn.holdout", &options.holdout),
        ("--min-networks", "learn.min_networks", &options.min_networks),
        ("--cookie", "cookie.format", &options.cookie),
        ("--admin", "admin.listen", &options.admin),
        ("--admin-token", "admin.token", &options.admin_token),
        ("--access-log", "log.access", &options.access_log),
        ("--access-log-format", "log.access_format", &options.access_log_format),
        ("--drain", "timeouts.drain", &options.drain),
    ] {
        if let Some(value) = value {
            add(flag, path, value);
        }
    }
    if options.no_state {
        add("--no-state", "state.save", "false");
    }
    if !options.admin_host.is_empty() {
        add("--admin-host", "admin.hosts", &options.admin_host.join(","));
    }
    if !options.listen.is_empty() {
        add("--listen", "listen", &options.listen.join(","));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sites::Content;

    fn settings(options: Options) -> Result<Settings, Vec<String>> {
        let given = Given { file: None, options, served: Some(one_site("DIR", "root", "public")) };
        given.settings().map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn flags_are_settings() {
        let some = |text: &str| Some(text.to_owned());
        let options = Options {
            window: some("3"),
            listen: vec!["a:1".into(), "http://b:2".into()],
            no_state: true,
            set: vec!["learn.half_life = 2d".into(), "push.max_per_page=4".into()],
            ..Options::default()
        };
        let settings = settings(options).unwrap();
        assert_eq!(settings.engine.window.as_secs(), 3);
        assert_eq!(settings.engine.half_life.as_secs(), 2 * 86_400);
        assert_eq!(settings.engine.max_pushes, 4);
        assert_eq!(settings.listen.iter().map(|listen| listen.tls).collect::<Vec<_>>(), [true, false]);
        assert!(!settings.state.save);
        assert!(matches!(&settings.sites[0].content, Content::Files(files) if files.root.value.ends_with("public")));
    }

    #[test]
    fn mistakes_name_the_flag() {
        let some = |text: &str| Some(text.to_owned());
        let check = |options, expected: &str| {
            let problems = settings(options).unwrap_err();
            assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:?}");
        };
        for bad in ["soon", "-1", "NaN"] {
            check(Options { window: some(bad), ..Options::default() }, "--window: learn.window: has to be a time");
        }
        check(
            Options { min_networks: some("0"), ..Options::default() },
            "--min-networks: learn.min_networks: 0 is out",
        );
        check(Options { cert: some("a.pem"), ..Options::default() }, "--cert: tls.cert: needs its `key`");
        check(Options { cookie: some("go-casper:x:1"), ..Options::default() }, "--cookie: cookie.format: \"x\"");
        check(Options { set: vec!["learn".into()], ..Options::default() }, "--set: \"learn\" is not of the form");
        check(
            Options { set: vec!["learn.windwo=1".into()], ..Options::default() },
            "--set learn.windwo: learn.windwo: no such setting; did you mean `window`?",
        );
        check(Options { set: vec!["lern.window=1".into()], ..Options::default() }, "--set lern.window: lern: no such");
    }
}
