"""The texts of new packs and sensors; ``@word@`` is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping

PACK = """\
ref: @pack@
label: @label@
description: What it is for.
version: "0.1.0"
enabled: true
"""

ACTION = """\
ref: @pack@.hello
label: Hello
description: Greets somebody.
runner_type: shell
entry_point: hello.sh
enabled: true
parameters:
  name:
    type: string
    default: world
"""

SCRIPT = """\
#!/bin/sh
printf 'Hello, %s\\n' "$ATTUNE_PARAM_NAME"
"""

TRIGGER = """\
ref: @pack@.@name@
label: @label@
description: Fires once per interval.
payload:
  tick: {type: integer}
"""

SENSOR = """\
ref: @pack@.@name@
label: @label@
description: Fires @pack@.@name@ once per interval.
# A compiled program, built from @crate@ and placed beside this file.
entry_point: @package@
enabled: true
triggers: [@pack@.@name@]
config:
  interval_seconds: 5
"""

CRATE = """\
[package]
name = "@package@"
@fields@

[dependencies]
"""

MAIN = """\
//! Writes one event per interval to its standard output, as lines of JSON.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

const TRIGGER: &str = "@pack@.@name@";
const INTERVAL: Duration = Duration::from_secs(5);

fn main() -> io::Result<()> {
    let source = std::env::var("ATTUNE_SENSOR_REF").unwrap_or_else(|_| TRIGGER.to_owned());
    for tick in 1_u64.. {
        emit(&mut io::stdout().lock(), &source, tick)?;
        sleep(INTERVAL);
    }
    Ok(())
}

fn emit(out: &mut impl Write, source: &str, tick: u64) -> io::Result<()> {
    let payload = format!(r#"{{"tick":{tick}}}"#);
    writeln!(
        out,
        r#"{{"trigger":"{TRIGGER}","source":"{source}","marker":"","payload":{payload}}}"#
    )?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let mut out = Vec::new();
        emit(&mut out, "@pack@.@name@", 3).unwrap();
        assert!(out.ends_with(b"}\\n"));
        assert_eq!(out.iter().filter(|byte| **byte == b'\\n').count(), 1);
    }
}
"""

_WORD = re.compile(r"@(\w+)@")


def fill(text: str, words: Mapping[str, str]) -> str:
    """A text with its words."""
    return _WORD.sub(lambda found: words[found[1]], text)
