/** An image's name in its two parts. A registry's port comes before the last slash, and is no tag. */
export function imageName(name: string): { readonly repo: string; readonly tag: string } {
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  if (colon === -1) return { repo: name, tag: 'latest' };
  return { repo: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** What an image of a lab is built from: a folder, which may make several versions. @example `webbase:7` */
export function imageSource(name: string, folder: string): string {
  return `${folder}:${imageName(name).tag}`;
}
