import mdx from '@astrojs/mdx';
import starlight from '@astrojs/starlight';
import { defineConfig } from 'astro/config';
import { createCodeRenderer } from './src/site/code-scripts.ts';
import { hostBlocks } from './src/site/host-blocks.ts';
import { instructorNotes } from './src/site/instructor-notes.ts';
import { siteLabs } from './src/site/lab-folders.ts';
import { labsElsewhere } from './src/site/labs-elsewhere.ts';
import { labsSound } from './src/site/labs-sound.ts';
import { AUTHORS_GROUP, LABS_GROUP } from './src/site/sidebar.ts';

/** Where `npm run dev` finds the server; the pages themselves are static. */
const SERVER = `http://127.0.0.1:${process.env.PORT ?? 4321}`;
/** The path of another site that the pages are served below, if they are. */
const BASE_PATH = process.env.QUAYSIDE_BASE_PATH ?? '';
/** `astro dev` listens beside the server, not in its place. */
const DEV_PORT = 4322;

const notes = instructorNotes();

export default defineConfig({
  // Astro empties the folder that it builds into. A build by hand goes beside the server's own (server/site/build.ts).
  base: BASE_PATH || '/',
  outDir: './dist/by-hand',
  cacheDir: './dist/.cache',
  devToolbar: { enabled: false },
  // Pages are small and their server is near: code that fetches them ahead would weigh more than it saves.
  prefetch: false,
  server: { host: '127.0.0.1', port: DEV_PORT },
  vite: {
    server: {
      proxy: {
        [`${BASE_PATH}/api`]: { target: SERVER, ws: true },
        [`${BASE_PATH}/pane`]: { target: SERVER, ws: true },
        [`${BASE_PATH}/sign-in`]: { target: SERVER },
      },
    },
  },
  integrations: [
    labsElsewhere(),
    labsSound(),
    // Around Starlight, which makes the index of the search.
    notes.taken,
    starlight({
      title: 'Quayside',
      description:
        'Labs in the browser on real hosts, each with its own Docker Engine. One command, no account, no cloud.',
      logo: { src: './src/styles/logo.svg' },
      favicon: '/favicon.svg',
      credits: false,
      customCss: ['theme', 'search', 'checks', 'blocks', 'print'].map(
        (name) => `./src/styles/${name}.css`,
      ),
      routeMiddleware: './src/site/route-data.ts',
      expressiveCode: {
        customCreateRenderer: createCodeRenderer,
        plugins: [hostBlocks()],
        styleOverrides: { borderRadius: '0.5rem' },
      },
      markdown: { processedDirs: siteLabs().map(({ directory }) => directory) },
      sidebar: [
        { label: LABS_GROUP, items: [{ autogenerate: { directory: 'labs' } }] },
        { label: AUTHORS_GROUP, items: [{ autogenerate: { directory: 'authors' } }] },
      ],
      components: {
        ContentPanel: './src/overrides/ContentPanel.astro',
        Footer: './src/overrides/Footer.astro',
        Head: './src/overrides/Head.astro',
        Header: './src/overrides/Header.astro',
        Hero: './src/overrides/Hero.astro',
        MarkdownContent: './src/overrides/MarkdownContent.astro',
        MobileMenuToggle: './src/overrides/MobileMenuToggle.astro',
        PageFrame: './src/overrides/PageFrame.astro',
        PageTitle: './src/overrides/PageTitle.astro',
        Search: './src/overrides/Search.astro',
        SkipLink: './src/overrides/SkipLink.astro',
        TwoColumnContent: './src/overrides/TwoColumnContent.astro',
      },
    }),
    notes.kept,
    // After Starlight, whose code blocks have to see a page's fences first.
    mdx({ optimize: true }),
  ],
});
