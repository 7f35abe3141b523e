//! The assets that a browser would load for a page, read from the files themselves.
//!
//! Just enough of HTML, CSS and JavaScript for sites written for these tests: stylesheets, scripts,
//! images and the icon in the document, `url()` in stylesheets, static imports in modules.

/// A reference found in a file: what it names, and what it is fetched as.
#[derive(Debug, PartialEq)]
pub(crate) struct Reference {
    pub(crate) url: String,
    /// The destination of the Fetch standard.
    pub(crate) destination: &'static str,
    pub(crate) cors: bool,
}

fn reference(url: &str, destination: &'static str, cors: bool) -> Reference {
    Reference { url: url.to_owned(), destination, cors }
}

/// References in a file, by its name's extension.
pub(crate) fn references(path: &str, text: &str) -> Vec<Reference> {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => in_css(text),
        Some("html") => in_html(text),
        Some("js" | "mjs") => in_script(text),
        _ => Vec::new(),
    }
}

fn in_html(text: &str) -> Vec<Reference> {
    let text = without(text, "<!--", "-->");
    let tags = text.split('<').skip(1).filter_map(|tag| tag.split('>').next());
    tags.filter_map(|tag| match tag.split_whitespace().next()? {
        "img" => Some(reference(attribute(tag, "src")?, "image", false)),
        "link" if attribute(tag, "rel") == Some("stylesheet") => {
            Some(reference(attribute(tag, "href")?, "style", false))
        }
        "link" if attribute(tag, "rel") == Some("icon") => Some(reference(attribute(tag, "href")?, "image", false)),
        "script" => {
            let module = attribute(tag, "type") == Some("module");
            Some(reference(attribute(tag, "src")?, "script", module))
        }
        _ => None,
    })
    .collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

fn in_css(text: &str) -> Vec<Reference> {
    let text = without(text, "/*", "*/");
    let urls = text.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
    urls.map(|url| url.trim().trim_matches(['"', '\'']))
        .filter(|url| !url.starts_with("data:") && !url.starts_with('#'))
        .map(|url| if is_font(url) { reference(url, "font", true) } else { reference(url, "image", false) })
        .collect()
}

fn is_font(url: &str) -> bool {
    url.rsplit_once('.').is_some_and(|(_, extension)| extension == "woff2")
}

/// Static imports only, one on a line: `import x from "..."`, `import "..."`, `export ... from "..."`.
fn in_script(text: &str) -> Vec<Reference> {
    let text = without(text, "/*", "*/");
    let statements = text.lines().map(|line| line.trim().trim_end_matches(';'));
    let imports = statements.filter(|line| {
        let bare = line.starts_with("import \"") || line.starts_with("import '");
        bare || (line.starts_with("import") || line.starts_with("export")) && line.contains(" from ")
    });
    let quoted = imports.filter_map(|line| {
        let quote = line.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        line.strip_suffix(quote)?.rsplit(quote).next()
    });
    quoted.map(|url| reference(url, "script", true)).collect()
}

fn without(text: &str, open: &str, close: &str) -> String {
    let mut parts = text.split(open);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once(close).map_or("", |(_, after)| after));
    }
    kept
}

/// A reference against the path of the file that holds it.
pub(crate) fn resolve(base: &str, url: &str) -> String {
    if url.starts_with('/') {
        return url.to_owned();
    }
    let mut segments: Vec<&str> = base.split('/').collect();
    segments.pop();
    for segment in url.split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    segments.join("/")
}

#[test]
fn documents_stylesheets_and_modules_are_read() {
    let html = "<!-- <img src=\"no.png\"> --><link rel=\"icon\" href=\"/i.svg\">\n\
        <link rel=\"stylesheet\" href=\"/a.css\"><script type=\"module\" src=\"m.js\"></script><img alt=\"\" src=\"b.png\">";
    let found = [
        reference("/i.svg", "image", false),
        reference("/a.css", "style", false),
        reference("m.js", "script", true),
        reference("b.png", "image", false),
    ];
    assert_eq!(references("/x.html", html), found);
    let css = "/* url(no.png) */ a { b: url('f.woff2') format(\"woff2\"), url(../g.png) }";
    let found = [reference("f.woff2", "font", true), reference("../g.png", "image", false)];
    assert_eq!(references("/x.css", css), found);
    let js = "import { a } from \"./a.js\";\nimport './b.js';\nimport\u{20}x from '/c.js';\nexport function f() { return \"no.js\"; }\n";
    let found = ["./a.js", "./b.js", "/c.js"].map(|url| reference(url, "script", true));
    assert_eq!(references("/x.js", js), found);
    assert_eq!(resolve("/a/b/c.css", "../d.png"), "/a/d.png");
    assert_eq!(resolve("/index.html", "./a.js"), "/a.js");
}
