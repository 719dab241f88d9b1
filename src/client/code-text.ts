/** A sentence's nodes; what stands between back-ticks is code. */
export function codeText(text: string): readonly Node[] {
  return text.split('`').map((part, index) => {
    if (index % 2 === 0) return document.createTextNode(part);
    const code = document.createElement('code');
    code.textContent = part;
    return code;
  });
}
