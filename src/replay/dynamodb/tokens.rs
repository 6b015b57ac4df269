//! The words and signs of an expression or of a PartiQL statement, read one after the other.

use std::fmt::{self, Display};

/// One token of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A word: a name, a function, a keyword.
    Word(String),
    /// `#name`.
    Name(String),
    /// `:value`, or a literal of PartiQL.
    Value(String),
    /// A quoted name of PartiQL.
    Quoted(String),
    /// A quoted string of PartiQL.
    Text(String),
    /// A number.
    Number(String),
    /// Punctuation: `=`, `<>`, `(`, `,`, …
    Sign(&'static str),
}

const SIGNS: [&str; 22] = [
    "<<", ">>", "<=", ">=", "<>", "!=", "||", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",",
    ".", "+", "-", "?", "*",
];

/// The longest expression or statement, in bytes.
const EXPRESSION_BYTES_MAX: usize = 8_192;

/// Maximum number of opening brackets of one expression.
const NESTED_MAX: usize = 300;

/// Splits an expression, or a PartiQL statement, into tokens.
fn split(text: &str) -> Result<Vec<Token>, String> {
    // DynamoDB's own limits: 8 KB of a statement, 300 operators.
    if text.len() > EXPRESSION_BYTES_MAX || text.matches(['(', '[', '{']).count() > NESTED_MAX {
        return Err(format!(
            "the text has {} bytes, or more than {NESTED_MAX} brackets; DynamoDB allows \
             {EXPRESSION_BYTES_MAX} bytes",
            text.len()
        ));
    }
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(first) = rest.chars().next() {
        let word = |from: &str| from.find(|c: char| !is_word(c)).unwrap_or(from.len());
        let used = match first {
            '#' | ':' if rest.len() > 1 => {
                let end = 1 + word(&rest[1..]);
                let text = rest[..end].to_string();
                tokens.push(if first == '#' {
                    Token::Name(text)
                } else {
                    Token::Value(text)
                });
                end
            }
            '"' | '\'' => {
                let mut content = String::new();
                let mut chars = rest.char_indices().skip(1).peekable();
                let mut end = None;
                while let Some((at, c)) = chars.next() {
                    match c {
                        _ if c == first && chars.peek().is_some_and(|(_, next)| *next == first) => {
                            content.push(first);
                            chars.next();
                        }
                        _ if c == first => {
                            end = Some(at + 1);
                            break;
                        }
                        c => content.push(c),
                    }
                }
                tokens.push(if first == '"' {
                    Token::Quoted(content)
                } else {
                    Token::Text(content)
                });
                end.ok_or_else(|| format!("a quotation does not end: {}", start(rest)))?
            }
            c if c.is_ascii_digit() => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
                    .unwrap_or(rest.len());
                tokens.push(Token::Number(rest[..end].to_string()));
                end
            }
            c if is_word(c) => {
                let end = word(rest);
                tokens.push(Token::Word(rest[..end].to_string()));
                end
            }
            // A sign. Anything else, such as a backtick, is not part of the language.
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or_else(|| format!("\"{}\" is not understood", start(rest)))?;
                tokens.push(Token::Sign(sign));
                sign.len()
            }
        };
        rest = rest[used..].trim_start();
    }
    Ok(tokens)
}

fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(text) | Token::Name(text) | Token::Value(text) | Token::Number(text) => {
                f.write_str(text)
            }
            Token::Quoted(text) => write!(f, "\"{text}\""),
            Token::Text(text) => write!(f, "'{text}'"),
            Token::Sign(sign) => f.write_str(sign),
        }
    }
}

/// What was read, or why it cannot be.
pub type Parsed<T> = Result<T, String>;

/// Tokens that are read one after the other.
pub struct TokenStream {
    tokens: Vec<Token>,
    at: usize,
    /// What they are part of: "expression" or "statement".
    whole: &'static str,
}

impl TokenStream {
    /// Splits a text; `whole` names it in messages.
    pub fn new(text: &str, whole: &'static str) -> Parsed<TokenStream> {
        let tokens = split(text)?;
        Ok(TokenStream {
            tokens,
            at: 0,
            whole,
        })
    }

    /// The next token, which stays.
    pub fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The name of the function that is called next, in lower case.
    pub fn call(&self) -> Option<String> {
        match (self.peek(), self.tokens.get(self.at + 1)) {
            (Some(Token::Word(name)), Some(Token::Sign("("))) => Some(name.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Whether this function is called next; its name and the parenthesis are read if so.
    pub fn is_call(&mut self, function: &str) -> bool {
        let is = self.call().is_some_and(|name| name == function);
        self.at += if is { 2 } else { 0 };
        is
    }

    /// Reads the next token.
    pub fn next(&mut self) -> Parsed<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token.ok_or_else(|| format!("the {} ends too early", self.whole))
    }

    /// Reads the next token again as others, such as `:5` as `:` and `5`.
    pub fn replace_next(&mut self, token: Token) {
        if let Some(next) = self.tokens.get_mut(self.at) {
            *next = token;
        }
    }

    /// The tokens that are left, which are read by this.
    pub fn rest(&mut self) -> &[Token] {
        let at = std::mem::replace(&mut self.at, self.tokens.len());
        self.tokens.get(at..).unwrap_or_default()
    }

    /// Reads a sign if it comes next, and returns whether it did.
    pub fn is_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    /// Reads a sign that must come next.
    pub fn sign(&mut self, sign: &str) -> Parsed<()> {
        if self.is_sign(sign) {
            Ok(())
        } else {
            Err(format!("{sign} is expected, {}", self.found()))
        }
    }

    /// Reads a word if it comes next, in upper or lower case, and returns whether it did.
    pub fn is_word(&mut self, word: &str) -> bool {
        let is =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    /// Reads a word that must come next.
    pub fn word(&mut self, word: &str) -> Parsed<()> {
        if self.is_word(word) {
            Ok(())
        } else {
            Err(format!("{word} is expected, {}", self.found()))
        }
    }

    /// What comes next, for a message.
    pub fn found(&self) -> String {
        match self.peek() {
            None => format!("the {} ends", self.whole),
            Some(token) => format!("found {token}"),
        }
    }

    /// Fails if anything is left; `what` says after which part.
    pub fn end(&self, what: &str) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(format!("{token} is not allowed after the {what}")),
        }
    }
}
