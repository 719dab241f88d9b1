/// <reference types="astro/client" />

/** For `tsc`, which does not read `.astro` files; `astro check` does, and knows each one's own props. */
declare module '*.astro' {
  const component: (props: Readonly<Record<string, unknown>>) => unknown;
  // biome-ignore lint/style/noDefaultExport: this is how an .astro file exports its component
  export default component;
}

/** The labs outside the project (src/site/labs-elsewhere.ts). */
declare module 'virtual:labs-elsewhere' {
  export const modules: Readonly<
    Record<string, () => Promise<{ readonly lab: import('#lab').Lab }>>
  >;
  export const courses: readonly (() => Promise<{ readonly course: import('#lab').Course }>)[];
}
