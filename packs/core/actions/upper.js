#!/usr/bin/env node
// Reads its parameters as JSON on standard input and writes JSON as its result.
const parameters = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify({ text: parameters.text.toUpperCase() }));
