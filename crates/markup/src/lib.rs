//! Reads an HTML page's own words on its assets.
//!
//! Requests show *what* a page needs; its markup says *how* it asks: with `integrity`, in CORS mode, as a module, lazily,
//! for one medium only. A preload that differs from the page in one of these is fetched for nothing. Give a [`Reader`]
//! the bytes of a page as they come, or [`read`] all of them, and take the [`Page`].
//!
//! No I/O, no network, no opinion on what to send.
//!
//! # Bounds
//!
//! A reader takes at most [`MAX_DOCUMENT_BYTES`] of a document and holds less than [`MAX_MEMORY_BYTES`] of heap, whatever
//! the bytes are; a test and a fuzz target count it. No input makes it fail: where the reading ends early, [`Page::end`]
//! says why, and what was found before stays. The facts do not depend on how the document is cut into pieces.
//!
//! # Trade-offs
//!
//! **The tokenizer is `lol_html`'s**, of which only the tag scanner runs between the elements that matter here. It builds
//! no tree: what a browser would move elsewhere in the tree (a `<link>` in a `<table>`) is found where it is written.
//!
//! **Scripts are not run and stylesheets not read.** What they add is known from traffic only.
//!
//! ```
//! use headstart_markup::{Crossorigin, Location, Role, read};
//!
//! let location = Location::new("https", "shop.example", "/cart/")?;
//! let page = read(&location, br#"
//!     <!doctype html><title>Cart</title>
//!     <link rel=stylesheet href="../app.css" integrity="sha384-abc">
//!     <script type=module src=/app.js></script>
//!     <script src="https://cdn.example/lib.js"></script>
//!     <img loading=lazy src=cart.png>"#);
//!
//! let [style, module, image] = &page.assets[..] else { panic!() };
//! assert_eq!((&*style.path, style.integrity.as_deref()), ("/app.css", Some("sha384-abc")));
//! assert!(style.blocking);
//! assert_eq!((module.role, module.crossorigin), (Role::Module, Crossorigin::Absent));
//! assert_eq!((&*image.path, image.lazy), ("/cart/cart.png", true));
//! assert_eq!(&*page.origins[0].origin, "https://cdn.example");
//! # Ok::<(), headstart_markup::InvalidLocation>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod asset;
mod attributes;
mod collector;
mod location;
mod media;
mod page;
mod reader;
mod selector;
mod srcset;

pub use crate::asset::{Asset, Crossorigin, FetchPriority, Role, Srcset};
pub use crate::location::{InvalidLocation, Location, MAX_PATH_BYTES, Target};
pub use crate::media::matches_screens;
pub use crate::page::{End, Origin, Page};
pub use crate::reader::{MAX_DOCUMENT_BYTES, MAX_MEMORY_BYTES, Reader, read};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
