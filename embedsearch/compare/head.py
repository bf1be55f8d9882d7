"""How every page begins that embedsearch makes: by this it knows its own."""

HEAD = (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="generator" content="embedsearch">\n'
)
