//! Bytes in, facts out.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lol_html::errors::RewritingError;
use lol_html::html_content::EndTag;
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings};
use lol_html::{HandlerResult, MemorySettings, Selector};

use crate::attributes::Attributes;
use crate::collector::{Collector, Then};
use crate::location::Location;
use crate::page::{End, Page};
use crate::selector::selector;

/// Most bytes of a document that are read.
pub const MAX_DOCUMENT_BYTES: usize = 512 << 10;

/// Most heap of a [`Reader`] with all that it finds, bytes.
pub const MAX_MEMORY_BYTES: usize = 1 << 20;

/// Bytes that the tokenizer is told it may hold: it counts what it asks for, and its vectors double.
const TOKENIZER_BYTES: usize = 320 << 10;

/// The tokenizer gets blocks of this size, whatever pieces the caller has: so its limits fall on the same byte.
const BLOCK_BYTES: usize = 16 << 10;

/// Reads one document, piece by piece.
pub struct Reader {
    /// `None` once the reading has ended.
    tokenizer: Option<Tokenizer>,
    collector: Arc<Mutex<Collector>>,
    block: Vec<u8>,
    left: usize,
    started: bool,
    end: End,
}

type Tokenizer = HtmlRewriter<'static, fn(&[u8])>;

/// Reads a whole document. Linear in its bytes, with the bounds of memory of [`Reader`].
pub fn read(location: &Location, html: &[u8]) -> Page {
    let mut reader = Reader::new(location.clone());
    reader.write(html);
    reader.finish()
}

impl Reader {
    /// A reader for the page at `location`.
    pub fn new(location: Location) -> Self {
        Reader::with_depth(location, 0)
    }

    fn with_depth(location: Location, depth: u32) -> Self {
        let collector = Arc::new(Mutex::new(Collector::new(location)));
        Reader {
            tokenizer: tokenizer(&collector, depth),
            collector,
            block: Vec::new(),
            left: MAX_DOCUMENT_BYTES,
            started: false,
            end: End::Whole,
        }
    }

    /// Reads on. Bytes after the end of the reading are ignored.
    pub fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_done() {
            let room = BLOCK_BYTES.saturating_sub(self.block.len()).min(self.left);
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            bytes = rest;
            self.left -= now.len();
            if self.block.is_empty() && now.len() == BLOCK_BYTES {
                self.tokenize(now);
            } else {
                if self.block.capacity() == 0 {
                    self.block.reserve_exact(BLOCK_BYTES);
                }
                self.block.extend_from_slice(now);
                if self.block.len() == BLOCK_BYTES {
                    self.flush();
                }
            }
            if self.left == 0 && !bytes.is_empty() {
                self.flush();
                self.stop(End::Truncated);
            }
        }
    }

    /// Whether further bytes change nothing.
    pub fn is_done(&self) -> bool {
        self.tokenizer.is_none()
    }

    /// The facts. The document ends here.
    pub fn finish(mut self) -> Page {
        self.flush();
        if let Some(tokenizer) = self.tokenizer.take()
            && let Err(error) = tokenizer.end()
        {
            self.end = end_of(&error);
        }
        lock(&self.collector).finish(self.end)
    }

    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.tokenize(&block);
        self.block = block;
        self.block.clear();
    }

    fn tokenize(&mut self, bytes: &[u8]) {
        if !self.started && !bytes.is_empty() {
            self.started = true;
            if is_utf16(bytes) {
                self.stop(End::Encoding);
            }
        }
        if let Some(tokenizer) = &mut self.tokenizer
            && let Err(error) = tokenizer.write(bytes)
        {
            self.stop(end_of(&error));
        }
    }

    fn stop(&mut self, end: End) {
        self.tokenizer = None;
        self.end = end;
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("left", &self.left).field("end", &self.end).finish_non_exhaustive()
    }
}

fn tokenizer(collector: &Arc<Mutex<Collector>>, depth: u32) -> Option<Tokenizer> {
    static SELECTOR: LazyLock<Option<Selector>> = LazyLock::new(|| selector().parse().ok());
    let selector = SELECTOR.as_ref()?;
    let collector = Arc::clone(collector);
    let handler = move |element: &mut Element<'_, '_>| element_starts(&collector, depth, element);
    let handlers = ElementContentHandlers::default().element(handler);
    let memory =
        MemorySettings::new().with_preallocated_parsing_buffer_size(0).with_max_allowed_memory_usage(TOKENIZER_BYTES);
    // Strict mode gives up on documents that a tree builder is needed for; here a wrong fact costs a hint.
    let settings = Settings::new_send()
        .append_element_content_handler((Cow::Borrowed(selector), handlers))
        .with_strict(false)
        .with_memory_settings(memory);
    Some(HtmlRewriter::new(settings, (|_| {}) as fn(&[u8])))
}

fn element_starts(shared: &Arc<Mutex<Collector>>, depth: u32, element: &mut Element<'_, '_>) -> HandlerResult {
    let svg = element.namespace_uri() == "http://www.w3.org/2000/svg";
    let then = lock(shared).element(&element.tag_name(), svg, || Attributes::of(element.attributes()));
    match then {
        Then::Watch(what) => {
            let watcher = Arc::clone(shared);
            let ended = move |_: &mut EndTag<'_>| {
                lock(&watcher).ended(what);
                Ok(())
            };
            // An element without content, as `<template/>` in svg, has ended.
            if element.on_end_tag(Box::new(ended)).is_err() {
                lock(shared).ended(what);
            }
        }
        Then::Embedded(document) if depth == 0 => {
            let location = lock(shared).location().clone();
            let mut reader = Reader::with_depth(location, depth + 1);
            reader.write(document.as_bytes());
            let page = reader.finish();
            lock(shared).embedded(page);
        }
        Then::Go | Then::Embedded(_) => {}
        Then::Stop => return Err("there is no room for more".into()),
    }
    Ok(())
}

fn lock(collector: &Mutex<Collector>) -> MutexGuard<'_, Collector> {
    collector.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end_of(error: &RewritingError) -> End {
    match error {
        RewritingError::ContentHandlerError(_) => End::TooMany,
        _ => End::Memory,
    }
}

/// A byte order mark, or the zeros that ASCII has there.
fn is_utf16(start: &[u8]) -> bool {
    matches!(start, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, b'<', ..] | [b'<', 0, ..])
}
