//! The paths that a source file names: comments, texts and characters skipped, `use` trees spread out.

use std::iter::Peekable;
use std::str::Chars;

/// A path as it is written, or one leaf of a `use`.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) is_use: bool,
    /// The modules within the file that it stands in.
    pub(super) inline_modules: Vec<String>,
    /// It stands in a module that only tests compile.
    pub(super) in_test: bool,
}

/// What a file names.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) names: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Path,
    Sign(char),
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let mut reader = Reader {
            tokens: tokens(text),
            at: 0,
            blocks: Vec::new(),
            names: Vec::new(),
        };
        reader.read();
        Self {
            names: reader.names,
        }
    }
}

/// Splits a text into words and signs, each with its line.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut lexer = Lexer {
        rest: text.chars().peekable(),
        line: 1,
    };
    let mut found = Vec::new();
    while let Some(token) = lexer.token() {
        found.extend(token.map(|token| (token, lexer.line)));
    }
    found
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let is = self.rest.peek() == Some(&wanted);
        if is {
            self.next();
        }
        is
    }

    /// The next token; `Some(None)` for what was skipped.
    #[expect(clippy::option_option, reason = "the end and a skipped part differ")]
    fn token(&mut self) -> Option<Option<Token>> {
        let first = self.next()?;
        Some(match first {
            '/' if self.next_if('/') => {
                while self.next().is_some_and(|c| c != '\n') {}
                None
            }
            '/' if self.next_if('*') => {
                self.skip_block_comment();
                None
            }
            '"' => {
                self.skip_text();
                None
            }
            '\'' => {
                self.skip_character_or_lifetime();
                None
            }
            ':' if self.next_if(':') => Some(Token::Path),
            c if is_word(c) => self.word(c),
            c if c.is_whitespace() => None,
            c => Some(Token::Sign(c)),
        })
    }

    /// A word, or nothing when it was the prefix of a text such as `r#"…"#` or `b'…'`.
    fn word(&mut self, first: char) -> Option<Token> {
        let mut word = String::from(first);
        while let Some(next) = self.rest.next_if(|c| is_word(*c)) {
            word.push(next);
        }
        let is_prefix = matches!(word.as_str(), "r" | "b" | "c" | "br" | "cr");
        if !is_prefix {
            return Some(Token::Word(word));
        }
        if word.ends_with('r') && self.rest.peek().is_some_and(|c| matches!(c, '#' | '"')) {
            return self.skip_raw_text();
        }
        if self.next_if('"') {
            self.skip_text();
            return None;
        }
        if word == "b" && self.next_if('\'') {
            self.skip_character_or_lifetime();
            return None;
        }
        Some(Token::Word(word))
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 1;
        while depth > 0
            && let Some(next) = self.next()
        {
            if next == '*' && self.next_if('/') {
                depth -= 1;
            } else if next == '/' && self.next_if('*') {
                depth += 1;
            }
        }
    }

    fn skip_text(&mut self) {
        while let Some(next) = self.next() {
            match next {
                '"' => return,
                '\\' => drop(self.next()),
                _ => {}
            }
        }
    }

    /// `r##"…"##`; a raw word `r#type` is returned as the word.
    fn skip_raw_text(&mut self) -> Option<Token> {
        let mut hashes = 0;
        while self.next_if('#') {
            hashes += 1;
        }
        if !self.next_if('"') {
            let first = self.next()?;
            return self.word(first);
        }
        while let Some(next) = self.next() {
            let mut closing = 0;
            while next == '"' && closing < hashes && self.next_if('#') {
                closing += 1;
            }
            if next == '"' && closing == hashes {
                break;
            }
        }
        None
    }

    /// `'a'`, `'\n'`, or the lifetime `'a`.
    fn skip_character_or_lifetime(&mut self) {
        let Some(first) = self.next() else { return };
        if first == '\\' {
            self.next();
            while self.next().is_some_and(|c| c != '\'') {}
        } else if !self.next_if('\'') && is_word(first) {
            while self.rest.next_if(|c| is_word(*c)).is_some() {}
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Why a brace was opened.
struct Block {
    module: Option<String>,
    in_test: bool,
}

struct Reader {
    tokens: Vec<(Token, usize)>,
    at: usize,
    blocks: Vec<Block>,
    names: Vec<Named>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(token, _)| token)
    }

    fn read(&mut self) {
        let mut test_next = false;
        while let Some((token, _)) = self.tokens.get(self.at).cloned() {
            match token {
                Token::Sign('#') if self.is_cfg_test() => {
                    test_next = true;
                    self.at += 7;
                }
                Token::Sign('{') => {
                    self.open(None, false);
                }
                Token::Sign('}') => {
                    self.blocks.pop();
                    self.at += 1;
                }
                Token::Word(word) if word == "mod" => {
                    self.read_mod(test_next);
                    test_next = false;
                }
                Token::Word(word) if word == "use" => {
                    self.at += 1;
                    self.read_use(&[]);
                    test_next = false;
                }
                Token::Word(_) => self.read_path(),
                _ => self.at += 1,
            }
        }
    }

    /// `#[cfg(test)]`, seven tokens.
    fn is_cfg_test(&self) -> bool {
        let word = |text: &str| Token::Word(text.to_owned());
        let wanted = [
            Token::Sign('#'),
            Token::Sign('['),
            word("cfg"),
            Token::Sign('('),
            word("test"),
            Token::Sign(')'),
            Token::Sign(']'),
        ];
        (0..wanted.len()).all(|i| self.peek(i) == Some(&wanted[i]))
    }

    fn open(&mut self, module: Option<String>, in_test: bool) {
        let in_test = in_test || self.blocks.iter().any(|block| block.in_test);
        self.blocks.push(Block { module, in_test });
        self.at += 1;
    }

    fn read_mod(&mut self, in_test: bool) {
        self.at += 1;
        let Some(Token::Word(name)) = self.peek(0).cloned() else {
            return;
        };
        self.at += 1;
        if self.peek(0) == Some(&Token::Sign('{')) {
            self.open(Some(name), in_test);
        }
    }

    /// A `use` tree below `prefix`, up to what ends it.
    fn read_use(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        loop {
            match self.peek(0).cloned() {
                Some(Token::Word(word)) if word == "as" => self.at += 2,
                Some(Token::Word(word)) => {
                    path.push(word);
                    self.at += 1;
                }
                Some(Token::Path | Token::Sign('*')) => self.at += 1,
                Some(Token::Sign('{')) => {
                    self.at += 1;
                    while !matches!(self.peek(0), None | Some(Token::Sign('}'))) {
                        let before = self.at;
                        self.read_use(&path);
                        let stuck = self.at == before;
                        let comma = self.peek(0) == Some(&Token::Sign(','));
                        self.at += usize::from(stuck || comma);
                    }
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        self.add(path, true);
    }

    fn read_path(&mut self) {
        let mut path = Vec::new();
        while let Some(Token::Word(word)) = self.peek(0).cloned() {
            path.push(word);
            self.at += 1;
            if self.peek(0) != Some(&Token::Path) {
                break;
            }
            self.at += 1;
        }
        self.add(path, false);
    }

    fn add(&mut self, path: Vec<String>, is_use: bool) {
        if path.is_empty() {
            return;
        }
        let line = self.tokens[self.at.min(self.tokens.len()) - 1].1;
        self.names.push(Named {
            path,
            line,
            is_use,
            inline_modules: self
                .blocks
                .iter()
                .filter_map(|b| b.module.clone())
                .collect(),
            in_test: self.blocks.iter().any(|block| block.in_test),
        });
    }
}
