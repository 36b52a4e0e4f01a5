#!/bin/sh
printf '%s' "$ATTUNE_PARAM_TEXT" | wc -w
