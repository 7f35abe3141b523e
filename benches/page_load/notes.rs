//! Remarks on a run: the links, and what went wrong.

use std::collections::BTreeSet;

/// Remarks on a run, in words.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The links and what was measured of them.
    pub(crate) links: BTreeSet<String>,
    /// Servers and cases that were left out.
    pub(crate) missing: BTreeSet<String>,
    /// Loads that failed.
    pub(crate) failed: Vec<String>,
}

impl Notes {
    /// Prints them as Markdown.
    pub(crate) fn print(&self) {
        for link in &self.links {
            println!("{link}\n");
        }
        for missing in &self.missing {
            println!("**Left out: {missing}.**\n");
        }
        if !self.failed.is_empty() {
            println!("**{} loads failed:**\n", self.failed.len());
            let different: BTreeSet<&String> = self.failed.iter().collect();
            for failed in different {
                println!("- {failed}");
            }
            println!();
        }
    }
}
