//! Ten pages of MkDocs, as it generates them: stylesheets, scripts, fonts, pictures, and a worker that searches.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use testkit::Program;

use super::application::{Application, Step, run, tool};

const PAGES: usize = 10;

const STEPS: &[Step] = &[
    page("start", "/"),
    page("page 1", "/page-1/"),
    page("page 2", "/page-2/"),
    page("page 3", "/page-3/"),
    page("page 4", "/page-4/"),
    page("page 5", "/page-5/"),
    page("page 6", "/page-6/"),
    page("page 7", "/page-7/"),
    page("page 8", "/page-8/"),
    page("page 9", "/page-9/"),
];

const fn page(name: &'static str, path: &'static str) -> Step {
    Step {
        name,
        open: Some(path),
        act: "await document.fonts.ready; return document.title;",
        until: "document.querySelector('[role=main] h1') !== null",
        compares_text: true,
    }
}

pub(crate) fn application() -> Application {
    Application {
        name: "MkDocs",
        needs: &["mkdocs"],
        version: &["python", "-c", "import mkdocs; print(mkdocs.__version__)"],
        prepare,
        start,
        steps: STEPS,
    }
}

/// Writes ten pages with a picture each, and generates the site.
fn prepare(directory: &Path) -> Result<(), String> {
    let write =
        |name: &str, text: &str| std::fs::write(directory.join(name), text).map_err(|error| format!("{name}: {error}"));
    std::fs::create_dir(directory.join("docs")).map_err(|error| error.to_string())?;
    // What is loaded from elsewhere is left out, so that the test needs no network.
    write(
        "mkdocs.yml",
        "site_name: Ten pages\ntheme:\n  name: readthedocs\n  highlightjs: false\n  include_homepage_in_sidebar: true\n",
    )?;
    for number in 0..PAGES {
        let name = if number == 0 { "index".to_owned() } else { format!("page-{number}") };
        let mut text = format!("# Page {number}\n\n![A picture](picture-{number}.svg) ![A sign](sign.svg)\n\n");
        for part in 1..20 {
            let _ = writeln!(text, "## Part {part}\n\nWords of page {number}, with `code` and a [link](index.md).\n");
        }
        write(&format!("docs/{name}.md"), &text)?;
        write(&format!("docs/picture-{number}.svg"), &picture(40 + number))?;
    }
    write("docs/sign.svg", &picture(16))?;
    run(Command::new(tool("mkdocs")).args(["build", "--quiet", "--site-dir", "site"]).current_dir(directory))
}

fn picture(size: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\"><rect width=\"{size}\" height=\"{size}\"/></svg>\n"
    )
}

/// Files as Python serves them: it says when they were changed, and not how long they are fresh. They were put there a month ago, so
/// that browsers take them for fresh.
fn start(directory: &Path, port: u16) -> Result<Vec<Program>, String> {
    let site = directory.join("site");
    run(Command::new("find").arg(&site).args(["-exec", "touch", "--date=30 days ago", "{}", "+"]))?;
    let mut command = Command::new(tool("python"));
    command.args(["-m", "http.server", &port.to_string(), "--bind", "127.0.0.1", "--directory"]);
    Ok(vec![Program::try_start(command.arg(site)).map_err(|error| error.to_string())?])
}
