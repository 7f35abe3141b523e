//! A build of Next.js: a page that becomes alive, one that comes in pieces, navigation without a new page, an upload.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Program;

use super::application::{Application, Step};

const STEPS: &[Step] = &[
    Step {
        name: "page",
        open: Some("/"),
        act: "return [document.title, document.querySelector('main').innerText];",
        until: "document.querySelector('#count') !== null",
        compares_text: false,
    },
    Step {
        name: "a button once the page is alive",
        open: None,
        act: "const button = document.querySelector('#count');
              for (let tries = 0; tries < 300 && button.textContent === '0'; tries++) {
                  button.click();
                  await new Promise((go) => setTimeout(go, 50));
              }
              return button.textContent;",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "navigation without a new page",
        open: None,
        act: "window.stays = true; setTimeout(() => document.querySelector('#second').click(), 0); return null;",
        until: "document.querySelector('#late') !== null && window.stays === true && location.pathname === '/second'",
        compares_text: false,
    },
    Step {
        name: "a page in pieces",
        open: Some("/second"),
        act: "return document.querySelector('main').innerText;",
        until: "document.querySelector('#late') !== null && document.querySelector('#wait') === null",
        compares_text: false,
    },
    Step {
        name: "pieces come as they are made",
        open: None,
        act: "const response = await fetch('/second');
              const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
              const text = (await reader.read()).value;
              await reader.cancel();
              return [response.status, text.includes('id=\"wait\"'), text.includes('>late<')];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "upload",
        open: None,
        act: "const form = new FormData();
              form.append('file', new File(['line\\n'.repeat(50000)], 'lines.txt', {type: 'text/plain'}));
              const response = await fetch('/upload', {method: 'POST', body: form});
              return [response.status, JSON.stringify(await response.json())];",
        until: "true",
        compares_text: false,
    },
    Step {
        name: "not found",
        open: Some("/nowhere"),
        act: "return [performance.getEntriesByType('navigation')[0].responseStatus, document.body.innerText];",
        until: "document.readyState === 'complete'",
        compares_text: false,
    },
];

const PACKAGE_VERSION: &str = concat!(
    "require('",
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/applications/next/node_modules/next/package.json').version"
);

pub(crate) fn application() -> Application {
    Application {
        name: "Next.js",
        needs: &["../../next/.next/BUILD_ID"],
        version: &["/usr/bin/node", "--print", PACKAGE_VERSION],
        prepare: |_| Ok(()),
        start,
        steps: STEPS,
    }
}

/// Where `cargo xtask applications` has built it.
fn built() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/applications/next")
}

fn start(_: &Path, port: u16) -> Result<Vec<Program>, String> {
    let mut command = Command::new("node");
    command.args(["node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1", "--port", &port.to_string()]);
    command.current_dir(built()).env("NEXT_TELEMETRY_DISABLED", "1");
    Ok(vec![Program::try_start(&mut command).map_err(|error| error.to_string())?])
}
