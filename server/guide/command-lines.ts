/** `<<EOF`, `<<-EOF`, `<<'EOF'`: the word that ends a here-document. */
const HERE_DOCUMENT = /<<-?\s*(["']?)([A-Za-z_]\w*)\1/;

/**
 * The command lines of a block, each to be typed when the one before it has finished. A line that goes on (a backslash
 * at its end, a here-document) stays in one piece.
 */
export function commandLines(block: string): readonly string[] {
  const commands: string[] = [];
  let open: string[] = [];
  let until: string | undefined;
  for (const line of block.split('\n')) {
    open.push(line);
    if (until !== undefined) {
      if (line.trim() !== until) continue;
      until = undefined;
    } else {
      until = HERE_DOCUMENT.exec(line)?.[2];
      if (until !== undefined || line.endsWith('\\')) continue;
    }
    commands.push(open.join('\n'));
    open = [];
  }
  if (open.length > 0) commands.push(open.join('\n'));
  return commands.filter((command) => {
    const text = command.trim();
    return text !== '' && !text.startsWith('#');
  });
}
