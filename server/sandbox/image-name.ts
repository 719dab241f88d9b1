import type { Lab, LabHost } from '#lab';

/** An image's name in its two parts. A registry's port comes before the last slash, and is no tag. */
export function imageName(name: string): { readonly repo: string; readonly tag: string } {
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  if (colon === -1) return { repo: name, tag: 'latest' };
  return { repo: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/**
 * The images that a host's engine has from the start, to the names that they were built as.
 *
 * @param built by {@link imageSource}
 * @throws Error where one was not built
 */
export function imagesOf(
  { images }: Pick<LabHost, 'images'>,
  lab: Pick<Lab, 'images'>,
  built: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  return new Map(
    images.map((name) => {
      const builtAs = built[imageSource(name, lab.images[name] ?? '')];
      if (builtAs === undefined) throw new Error(`image ${name} was not built`);
      return [name, builtAs];
    }),
  );
}

/** What an image of a lab is built from: a folder, which may make several versions. @example `webbase:7` */
export function imageSource(name: string, folder: string): string {
  return `${folder}:${imageName(name).tag}`;
}
