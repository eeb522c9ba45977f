//! Striking the waits out of tokens.
//!
//! ```text
//!  lib
//!  waits    (this file)
//! ```

use core::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// The same tokens without their waits:
///
/// | written | becomes |
/// | --- | --- |
/// | `.await` | nothing |
/// | `async fn` | `fn`, and `pub` before it `#[allow(dead_code)] pub(crate)` |
/// | `call(async move { … })` | `call(move \|\| { … })` |
/// | `async \|x\|`, `async move \|x\|` | `\|x\|`, `move \|x\|` |
/// | `AsyncFnOnce(…) -> T` | `FnOnce(…) -> T` |
/// | `Routine<M, impl Future<Output = T>>` | `T` |
///
/// An `async` block anywhere else would mean something else without its wait (its `?` would leave whoever it stands in), and `AsyncFn` and `AsyncFnMut` are
/// not known: they do not compile.
pub(crate) fn without(tokens: TokenStream) -> TokenStream {
    strike(tokens, false)
}

/// `is_called`: these are the arguments of `call`.
fn strike(tokens: TokenStream, is_called: bool) -> TokenStream {
    let mut left = tokens.into_iter().peekable();
    let mut struck: Vec<TokenTree> = Vec::new();
    while let Some(token) = left.next() {
        match token {
            TokenTree::Group(group) => {
                let is_called = group.delimiter() == Delimiter::Parenthesis
                    && matches!(struck.last(), Some(TokenTree::Ident(last)) if last == "call");
                struck.push(inside(&group, is_called).into());
            }
            TokenTree::Punct(dot) if dot.as_char() == '.' && next_is(&mut left, "await") => {
                left.next();
            }
            TokenTree::Ident(word) if word == "async" => {
                strike_async(&word, &mut left, &mut struck, is_called);
            }
            TokenTree::Ident(word) if word == "AsyncFn" || word == "AsyncFnMut" => {
                struck.extend(refuse("only AsyncFnOnce can be compiled without its waits"));
            }
            TokenTree::Ident(word) if word == "AsyncFnOnce" => {
                struck.push(Ident::new("FnOnce", word.span()).into());
            }
            TokenTree::Ident(word) if word == "Routine" && next_is_punct(&mut left, '<') => {
                struck.extend(without(output(&mut left)));
            }
            token => struck.push(token),
        }
    }
    struck.into_iter().collect()
}

/// A group with the same delimiters, without its waits.
fn inside(group: &Group, is_called: bool) -> Group {
    let mut struck = Group::new(group.delimiter(), strike(group.stream(), is_called));
    struck.set_span(group.span());
    struck
}

/// What follows `async` decides what becomes of it.
fn strike_async(word: &Ident, left: &mut Peekable<IntoIter>, struck: &mut Vec<TokenTree>, is_called: bool) {
    if next_is(left, "fn") {
        // A function that waits is public for the async face.
        if matches!(struck.last(), Some(TokenTree::Ident(last)) if last == "pub") {
            struck.pop();
            struck.extend(narrowed(word.span()));
        }
    } else if next_is(left, "move") {
        let is_first = struck.is_empty();
        struck.extend(left.next());
        if matches!(left.peek(), Some(TokenTree::Group(_))) {
            if is_called && is_first {
                struck.extend(no_arguments(word.span()));
            } else {
                struck.extend(refuse(BLOCK));
            }
        }
    } else if matches!(left.peek(), Some(TokenTree::Group(_))) {
        struck.extend(refuse(BLOCK));
    }
}

const BLOCK: &str = "an async block can be compiled without its waits as `M::call(async move { … })` only";

/// What does not compile, with the reason.
fn refuse(why: &str) -> TokenStream {
    let literal = TokenTree::from(Literal::string(why));
    let word = |word| TokenTree::from(Ident::new(word, Span::call_site()));
    [
        word("compile_error"),
        Punct::new('!', Spacing::Alone).into(),
        Group::new(Delimiter::Brace, literal.into()).into(),
    ]
    .into_iter()
    .collect()
}

/// `#[allow(dead_code)] pub(crate)`: the other face need not call it.
fn narrowed(span: Span) -> TokenStream {
    let word = |word| TokenTree::from(Ident::new(word, span));
    let group = |delimiter, of| TokenTree::from(Group::new(delimiter, of));
    let lint = group(Delimiter::Parenthesis, word("dead_code").into());
    let allow = [word("allow"), lint].into_iter().collect();
    [
        Punct::new('#', Spacing::Alone).into(),
        group(Delimiter::Bracket, allow),
        word("pub"),
        group(Delimiter::Parenthesis, word("crate").into()),
    ]
    .into_iter()
    .collect()
}

/// `||`
fn no_arguments(span: Span) -> [TokenTree; 2] {
    [Spacing::Joint, Spacing::Alone].map(|spacing| {
        let mut bar = Punct::new('|', spacing);
        bar.set_span(span);
        bar.into()
    })
}

/// Takes `<M, impl Future<Output = T>>`, with or without a comma at the end, and gives `T`.
fn output(left: &mut Peekable<IntoIter>) -> TokenStream {
    let mut within: Vec<TokenTree> = Vec::new();
    let mut depth = 0_u32;
    let mut is_arrow = false;
    for token in left.by_ref() {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                '<' => depth += 1,
                '>' if !is_arrow => depth -= 1,
                _ => {}
            }
            is_arrow = punct.as_char() == '-' && punct.spacing() == Spacing::Joint;
        } else {
            is_arrow = false;
        }
        within.push(token);
        if depth == 0 {
            break;
        }
    }
    let is =
        |token: &TokenTree, sign: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign);
    within.pop();
    if within.last().is_some_and(|token| is(token, ',')) {
        within.pop();
    }
    within.pop();
    within
        .into_iter()
        .skip_while(|token| !is(token, '='))
        .skip(1)
        .collect()
}

fn next_is(left: &mut Peekable<IntoIter>, word: &str) -> bool {
    matches!(left.peek(), Some(TokenTree::Ident(next)) if next == word)
}

fn next_is_punct(left: &mut Peekable<IntoIter>, sign: char) -> bool {
    matches!(left.peek(), Some(TokenTree::Punct(next)) if next.as_char() == sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every token of some text, one behind the other.
    fn tokens(stream: TokenStream) -> Vec<String> {
        stream
            .into_iter()
            .flat_map(|token| match token {
                TokenTree::Group(group) => {
                    let inner = tokens(group.stream());
                    let (begin, end) = (format!("begin {:?}", group.delimiter()), "end".to_owned());
                    [vec![begin], inner, vec![end]].concat()
                }
                token => vec![token.to_string()],
            })
            .collect()
    }

    fn becomes(written: &str, expected: &str) {
        let written = written.parse().map(|written| tokens(without(written)));
        let expected = expected.parse().map(tokens);
        assert!(expected.is_ok());
        assert_eq!(written.ok(), expected.ok());
    }

    #[test]
    fn a_function_that_waits_becomes_one_that_does_not() {
        becomes(
            "impl A { /// It reads.\n pub async fn read(&mut self) -> Option<u8> { let a = self.find().await?; a.next().await } }",
            "impl A { /// It reads.\n #[allow(dead_code)] pub(crate) fn read(&mut self) -> Option<u8> { let a = self.find()?; a.next() } }",
        );
        becomes(
            "async fn a() { b(c().await, [d.await]).await }",
            "fn a() { b(c(), [d]) }",
        );
        becomes("pub(super) async fn a() {}", "pub(super) fn a() {}");
    }

    #[test]
    fn a_routine_gives_its_output() {
        becomes(
            "fn a(&self) -> Routine<M, impl Future<Output = Result<Option<u8>, Fault>>> { M::call(async move { self.b().await }) }",
            "fn a(&self) -> Result<Option<u8>, Fault> { M::call(move || { self.b() }) }",
        );
        becomes(
            "fn a() -> Routine<M, impl Future<Output = fn(u8) -> Option<u8>>,> { c }",
            "fn a() -> fn(u8) -> Option<u8> { c }",
        );
        becomes(
            "fn a() -> Routine<M, impl Future<Output = ()>,> where M: B {}",
            "fn a() -> () where M: B {}",
        );
    }

    #[test]
    fn closures_that_wait_become_closures() {
        becomes("a(async |b| b.c().await)", "a(|b| b.c())");
        becomes("a(async move |b| b.c().await)", "a(move |b| b.c())");
        becomes(
            "fn a(b: impl AsyncFnOnce(&mut C) -> D) {}",
            "fn a(b: impl FnOnce(&mut C) -> D) {}",
        );
    }

    #[test]
    fn what_would_mean_something_else_without_its_wait_does_not_compile() {
        for item in [
            "fn a() { async { b().await?; c() }.await }",
            "fn a() { let _ = async move { b().await }; }",
            "fn a() { call(b, async move { c().await }) }",
            "fn a(b: impl AsyncFn(u8) -> u8) {}",
            "fn a(b: impl AsyncFnMut(u8) -> u8) {}",
        ] {
            let struck = item.parse().map(|item| without(item).to_string());
            assert!(
                struck.is_ok_and(|struck| struck.contains("compile_error")),
                "{item}"
            );
        }
    }

    #[test]
    fn what_does_not_wait_stays_as_it_is() {
        for item in [
            "pub fn awaits(&self) -> Range<u8> { 0..self.await_len.min(1.0 as u8) }",
            "pub(crate) struct A<'a> { b: &'a [u8], c: fn(u8) -> u8 }",
            "impl Routine for A { const B: u8 = 1; }",
            "#[doc = \"async fn a() { b.await }\"] #[must_use] fn c<const D: usize>(e: [u8; D]) -> bool { e.len() >> 1 < D }",
        ] {
            becomes(item, item);
        }
    }
}
