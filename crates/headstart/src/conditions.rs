//! The conditions that hold for every asset of a view.

use std::sync::Arc;

use headstart_learn::Draw;

use crate::markup_settings::Markup;
use crate::page_policy::PagePolicy;
use crate::page_target::PageTarget;
use crate::rules::{Budget, PageRules};
use crate::statements::Statements;
use crate::view::Outlet;

/// The conditions that hold for every asset of a view.
pub(crate) struct Conditions {
    /// The page, which is never one of its own assets.
    pub(crate) target: PageTarget,
    pub(crate) outlet: Outlet,
    pub(crate) draw: Draw,
    pub(crate) save_data: bool,
    /// The lower bound of the probability from which an asset is pushed.
    pub(crate) push_threshold: f32,
    pub(crate) rules: PageRules,
    pub(crate) budget: Budget,
    /// The policy of the page's last response.
    pub(crate) policy: PagePolicy,
    /// The assets whose hints clients of this page could not use.
    pub(crate) unserved: Arc<[Arc<str>]>,
    /// The page's statements on its assets, if it was read.
    pub(crate) statements: Option<Arc<Statements>>,
    pub(crate) markup: Markup,
}

impl Conditions {
    /// Nothing is sent early on this view.
    pub(crate) fn sends_nothing(&self) -> bool {
        self.draw.held_out || self.save_data
    }
}
