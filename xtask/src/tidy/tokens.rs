//! Splits Rust source into the tokens that say which module names which: words, strings, `::` and punctuation.
//!
//! Comments, numbers, character literals and lifetimes are skipped. The sources compile, so nothing is checked here.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// An identifier or keyword.
    Word(String),
    /// What a string literal holds, its escapes unread.
    Text(String),
    /// `::`
    PathSeparator,
    Mark(char),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The tokens of a file, each with its line, counted from 1.
pub(super) fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut reader = Reader { rest: text, line: 1, tokens: Vec::new() };
    while reader.read_one() {}
    reader.tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<(Token, usize)>,
}

impl Reader<'_> {
    /// Returns whether there was anything left.
    fn read_one(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(comment_length(self.rest));
        } else if let Some((prefix, hashes)) = raw_string(self.rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let length = self.rest[prefix..].find(&close).unwrap_or(self.rest.len() - prefix);
            self.push(Token::Text(self.rest[prefix..prefix + length].to_owned()));
            self.skip((prefix + length + close.len()).min(self.rest.len()));
        } else if let Some(word) = self.rest.strip_prefix("r#") {
            let length = word_length(word);
            self.push(Token::Word(word[..length].to_owned()));
            self.skip(2 + length);
        } else if first == '"' {
            let length = string_length(self.rest);
            self.push(Token::Text(self.rest[1..length.max(2) - 1].to_owned()));
            self.skip(length);
        } else if first == '\'' {
            self.skip(quote_length(self.rest));
        } else if first.is_ascii_digit() {
            self.skip(word_length(self.rest));
        } else if is_in_word(first) {
            let length = word_length(self.rest);
            let is_prefix = matches!(&self.rest[..length], "b" | "c") && self.rest[length..].starts_with(['"', '\'']);
            if !is_prefix {
                self.push(Token::Word(self.rest[..length].to_owned()));
            }
            self.skip(length);
        } else if self.rest.starts_with("::") {
            self.push(Token::PathSeparator);
            self.skip(2);
        } else {
            if !first.is_whitespace() {
                self.push(Token::Mark(first));
            }
            self.skip(first.len_utf8());
        }
        true
    }

    fn push(&mut self, token: Token) {
        self.tokens.push((token, self.line));
    }

    fn skip(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }
}

fn is_in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_in_word(c)).unwrap_or(text.len())
}

/// Comments in `/* */` may hold others.
fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of `r"` or `br##"` and how many `#` it has.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| text.starts_with(*prefix))?;
    let rest = &text[prefix.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some((prefix.len() + hashes + 1, hashes))
}

/// The length of a string literal with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, or of the quote of a lifetime and its name.
fn quote_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            let close = chars.skip(1).find(|(_, c)| *c == '\'');
            close.map_or(text.len(), |(at, _)| at + 1)
        }
        Some((at, c)) if text[at + c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 1,
        _ => 1 + word_length(&text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().filter_map(|(token, _)| token.word().map(str::to_owned)).collect()
    }

    #[test]
    fn what_is_no_code_is_skipped() {
        assert_eq!(words("a /* b /* c */ d */ e // f\n g"), ["a", "e", "g"]);
        assert_eq!(words(r##"a "b \" c" r#"d " e"# b"f" 'g' '\'' h<'i> b'\n' r#type"##), ["a", "h", "type"]);
        assert_eq!(words("'{' x '\\u{7d}' y 0x1f 1..2"), ["x", "y"]);
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let last = tokens("a\n\"b\nc\"\n/* d\n*/ e").pop();
        assert_eq!(last, Some((Token::Word("e".to_owned()), 5)));
    }
}
