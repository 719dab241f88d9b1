#!/bin/sh
# The page of the old application, which server01 serves itself.
address=$(ss -Htn dst "$REMOTE_ADDR:$REMOTE_PORT" | awk '{ sub(/:[0-9]+$/, "", $4); print $4; exit }')
page=$(cat << PAGE
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The old application on $(hostname)</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --ink: #16202b; --soft: #586574; --page: #f4f0e8; --card: #fff; --line: #e2dccf; --accent: #9a6a12; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #eee9e0; --soft: #b9ae9c; --page: #17140f; --card: #221e17; --line: #3b3428; --accent: #e0b15c; }
  }
  * { box-sizing: border-box; margin: 0; }
  body { min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
  main { width: 100%; max-width: 30rem; background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--accent); border-radius: 10px; padding: 1.5rem; }
  h1 { font-size: 1.25rem; line-height: 1.3; }
  p { color: var(--soft); }
  dl { margin-top: 1.25rem; }
  div { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; padding: .55rem 0; border-top: 1px solid var(--line); }
  dt { color: var(--soft); }
  dd { font: 600 1rem/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
  <h1>The old application</h1>
  <p>Who answered, and for whom, as it sees it:</p>
  <dl>
    <div><dt>Hostname: </dt><dd>$(hostname)</dd></div>
    <div><dt>Server IP: </dt><dd>${address:-unknown}</dd></div>
    <div><dt>Server port: </dt><dd>80</dd></div>
    <div><dt>Client IP: </dt><dd>$REMOTE_ADDR</dd></div>
  </dl>
</main>
</body>
</html>
PAGE
)
printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%s' "${#page}" "$page"
