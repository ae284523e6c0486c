//! RFC 3986 percent-encoding as `SigV4` wants it: unreserved characters stay, all else is `%XX`.

use percent_encoding::percent_decode_str;

/// Whether a byte stays as it is.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    table
};

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

fn stays(byte: u8) -> bool {
    UNRESERVED[usize::from(byte)]
}

/// Whether [`encode_into`] writes it as `%XX`.
pub(crate) fn is_encoded(character: char) -> bool {
    !u8::try_from(character).is_ok_and(stays)
}

/// The length of what [`encode_into`] adds.
pub(crate) fn encoded_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| if stays(byte) { 1 } else { 3 })
        .sum()
}

pub(crate) fn encode_into(buffer: &mut String, text: &str) {
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let mut rest = text;
    // A byte that stays is ASCII, so a run of them begins and ends between characters.
    while let Some(run) = rest.bytes().position(|byte| !stays(byte)) {
        let (before, from) = rest.split_at(run);
        let character = from.chars().next().map_or(0, char::len_utf8);
        let (escaped, after) = from.split_at(character);
        buffer.push_str(before);
        for byte in escaped.bytes() {
            buffer.push('%');
            buffer.push(digit(byte >> 4));
            buffer.push(digit(byte & 15));
        }
        rest = after;
    }
    buffer.push_str(rest);
}

/// The decoded text, or `None` unless `text` is exactly what [`encode_into`] makes of it.
pub(crate) fn decode_strictly(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?.into_owned();
    let mut again = String::with_capacity(text.len());
    encode_into(&mut again, &decoded);
    (again == text).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        let mut buffer = String::new();
        encode_into(&mut buffer, text);
        assert_eq!(buffer.len(), encoded_length(text));
        buffer
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encoded("AZaz09-._~"), "AZaz09-._~");
        assert_eq!(encoded("a b+c/%é*'"), "a%20b%2Bc%2F%25%C3%A9%2A%27");
    }

    #[test]
    fn decoding_accepts_only_the_one_spelling() {
        assert_eq!(decode_strictly("a%2Fb").as_deref(), Some("a/b"));
        for other in ["a%2fb", "a/b", "%61", "a+b", "a%2", "a%FF", "%C3"] {
            assert_eq!(decode_strictly(other), None, "{other}");
        }
    }
}
