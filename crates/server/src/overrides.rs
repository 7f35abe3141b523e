//! Flags as settings: each flag is a key of the file, and goes over it.

use std::path::PathBuf;

use crate::config::layers::{self, Flag, Layers};
use crate::config::place::Place;
use crate::config::tree::Node;
use crate::config::{Problem, Problems, Settings};
use crate::options::{Options, Proxy, Serve, SiteFlags};
use crate::site::Example;
use crate::systemd;

/// Sources of the settings of a program that serves. Kept, so that they can be read again.
#[derive(Debug)]
pub(crate) struct Given {
    /// The configuration file.
    pub(crate) file: Option<PathBuf>,
    options: Options,
    /// Flags that concern what is served.
    site: SiteFlags,
    /// The site on the command line, if one was typed.
    served: Option<Node>,
    /// The site that is served if no other is named.
    example: Example,
}

impl Given {
    pub(crate) fn of_serve(args: Serve) -> Self {
        let served = args.directory.map(|directory| one_site("DIR", "root", &directory.to_string_lossy()));
        Self::new(args.options, SiteFlags::default(), served)
    }

    pub(crate) fn of_proxy(args: Proxy) -> Self {
        let served = one_site("URL", "upstream", &args.upstreams.join(","));
        Self::new(args.options, args.site, Some(served))
    }

    pub(crate) fn of_options(options: Options) -> Self {
        Self::new(options, SiteFlags::default(), None)
    }

    fn new(options: Options, site: SiteFlags, served: Option<Node>) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = options.config.clone().or_else(|| variable("HEADSTART_CONFIG"));
        let file = match named {
            _ if options.no_config => None,
            Some(file) => Some(file),
            // Whoever names what to serve does not ask for the machine's own sites.
            None if served.is_some() => None,
            None => layers::default_file(variable),
        };
        Self { file, options, site, served, example: Example::default() }
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
        let layers = Layers {
            file: self.file.as_deref(),
            site: self.served.clone(),
            default_site: &|| {
                let root = self.example.root()?;
                Some(one_site("the default", "root", &root.to_string_lossy()))
            },
            variables: std::env::vars_os().collect(),
            flags: self.flags(&problems),
        };
        let root = layers.combine(&problems);
        let settings = Settings::read(root, &problems, !systemd::sockets().is_empty());
        (settings, problems.into_sorted())
    }

    /// Flags of the table go over what was said by `--set`.
    fn flags(&self, problems: &Problems) -> Vec<Flag> {
        let mut flags = Vec::new();
        for assignment in &self.options.set {
            match assignment.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    let key = key.trim();
                    flags.push((key.to_owned(), Node::loose(&format!("--set {key}"), value.trim())));
                }
                _ => problems.add(&Place::named("--set"), "", format!("{assignment:?} is not of the form KEY=VALUE")),
            }
        }
        let typed = self.options.flags.0.iter().chain(&self.site.0);
        flags.extend(typed.map(|typed| (typed.path.clone(), Node::loose(&typed.flag, typed.value.clone()))));
        flags
    }
}

/// A list with a single site in it.
fn one_site(flag: &str, key: &str, value: &str) -> Node {
    Node::list(flag, vec![Node::table_of(key, Node::loose(flag, value))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sites::{Content, Site};
    use crate::options::{Flags, Typed};
    use headstart_files::Symlinks;

    fn settings(set: &[&str], flags: &[(&str, &str, &str)]) -> Result<Settings, Vec<String>> {
        let typed = |(flag, path, value): &(&str, &str, &str)| {
            let [flag, path, value] = [flag, path, value].map(|text| (*text).to_owned());
            Typed { flag, path, value }
        };
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        let options = Options { set, flags: Flags(flags.iter().map(typed).collect()), ..Options::default() };
        let served = Some(one_site("DIR", "root", "public"));
        let given = Given { file: None, options, site: SiteFlags::default(), served, example: Example::default() };
        given.settings().map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn flags_are_settings() {
        let flags = [
            ("--window", "learn.window", "3"),
            ("--listen", "listen", "a:1,http://b:2"),
            ("--no-state", "state.save", "false"),
        ];
        let settings = settings(&["learn.half_life = 2d", "push.max_per_page=4"], &flags).unwrap();
        assert_eq!(settings.engine.window.as_secs(), 3);
        assert_eq!(settings.engine.half_life.as_secs(), 2 * 86_400);
        assert_eq!(settings.engine.budget.max_pushes, 4);
        assert_eq!(settings.listen.iter().map(|listen| listen.tls).collect::<Vec<_>>(), [true, false]);
        assert!(!settings.state.save);
        assert!(matches!(&settings.sites[0].content, Content::Files(files) if files.root.value.ends_with("public")));
    }

    #[test]
    fn settings_of_the_site_that_was_named() {
        let settings = settings(&["site.symlinks=follow", "site[1].hosts=a.example,b.example"], &[]).unwrap();
        let [site] = &settings.sites[..] else { panic!("{:?}", settings.sites) };
        assert!(matches!(&site.content, Content::Files(files) if files.config.symlinks == Symlinks::Follow));
        assert_eq!(site.hosts.len(), 2);
    }

    #[test]
    fn an_application_takes_the_place_of_the_default_site() {
        let set = vec!["site.upstream=http://127.0.0.1:3000".to_owned(), "site.proxy.cache=off".to_owned()];
        let options = Options { set, ..Options::default() };
        let given =
            Given { file: None, options, site: SiteFlags::default(), served: None, example: Example::default() };
        let settings = given.settings().unwrap();
        assert!(matches!(&settings.sites[..], [Site { content: Content::Upstream(_), .. }]), "{:?}", settings.sites);
    }

    #[test]
    fn mistakes_name_the_flag() {
        let check = |set: &[&str], flags: &[(&str, &str, &str)], expected: &str| {
            let problems = settings(set, flags).unwrap_err();
            assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:?}");
        };
        for bad in ["soon", "-1", "NaN"] {
            check(&[], &[("--window", "learn.window", bad)], "--window: learn.window: has to be a time");
        }
        check(&[], &[("--min-networks", "learn.min_networks", "0")], "--min-networks: learn.min_networks: 0 is out");
        check(&[], &[("--cert", "tls.cert", "a.pem")], "--cert: tls.cert: needs its `key`");
        check(&[], &[("--cookie", "cookie.format", "go-casper:x:1")], "--cookie: cookie.format: \"x\"");
        let both = [("--state", "state.file", "x"), ("--no-state", "state.save", "false")];
        check(&[], &both, "--state: state.file: is named (the flag --state), but nothing is to be saved");
        check(&["learn"], &[], "--set: \"learn\" is not of the form");
        check(&["learn.windwo=1"], &[], "--set learn.windwo: learn.windwo: no such setting; did you mean `window`?");
        check(&["lern.window=1"], &[], "--set lern.window: lern: no such");
        check(&["site.nonsense=1"], &[], "--set site.nonsense: site[1].nonsense: no such setting");
        check(&["site.symlink=follow"], &[], "--set site.symlink: site[1].symlink: no such setting; did you mean");
        check(&["site[2].symlinks=follow"], &[], "--set site[2].symlinks: site[2].symlinks: the number of `site`");
    }
}
