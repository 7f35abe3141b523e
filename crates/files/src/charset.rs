//! The character encoding that a document names itself.

/// How far into a document it is looked for, bytes: where browsers look (HTML, "prescan a byte stream").
const PRESCAN: usize = 1024;

/// Does HTML or XML say that it is in another encoding than UTF-8: by a byte order mark, an XML declaration, or a `meta`
/// element? Linear in the first kilobyte.
pub(super) fn names_other_charset(content: &[u8]) -> bool {
    if content.starts_with(&[0xfe, 0xff]) || content.starts_with(&[0xff, 0xfe]) {
        return true;
    }
    let start = content.get(..PRESCAN).unwrap_or(content).to_ascii_lowercase();
    let text = String::from_utf8_lossy(&start);
    let declared = text.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next());
    if let Some(label) = declared.and_then(|declaration| label_after(declaration, "encoding")) {
        return !is_utf8(label);
    }
    let mut elements = text.split("<meta").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    elements.find_map(|element| label_after(element, "charset")).is_some_and(|label| !is_utf8(label))
}

/// The value of `name=value`, quoted or not.
fn label_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(name)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.+".contains(c))).unwrap_or(value.len());
    value.get(..end).filter(|label| !label.is_empty())
}

fn is_utf8(label: &str) -> bool {
    matches!(label, "utf-8" | "utf8" | "unicode-1-1-utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_documents_say() {
        for other in [
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss/>",
            "<?xml version='1.0' encoding='windows-1252' ?>",
            "<!doctype html><META CharSet=iso-8859-1>",
            "<head><meta http-equiv=\"content-type\" content=\"text/html; charset=Shift_JIS\">",
            "<meta name=x content=y><meta charset = 'koi8-r'>",
        ] {
            assert!(names_other_charset(other.as_bytes()), "{other}");
        }
        for none in [
            "",
            "<p>charset=iso-8859-1",
            "<meta charset=UTF-8>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><meta charset=koi8-r>",
            "<meta charset=",
            "<meta charset=\"\">",
        ] {
            assert!(!names_other_charset(none.as_bytes()), "{none}");
        }
        assert!(names_other_charset(b"\xff\xfeh\0"));
        assert!(!names_other_charset(format!("{}<meta charset=koi8-r>", " ".repeat(1024)).as_bytes()));
    }
}
