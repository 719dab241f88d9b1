import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { layoutProblems } from '../../../setup/layout.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const CRUISER = join(PROJECT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
const TABLE = join(PROJECT, 'dependency-cruiser.config.mjs');

/** The refusals, as `rule: from → to`. */
async function refusals(project: string): Promise<readonly string[]> {
  const args = [CRUISER, '.', '--config', TABLE, '--output-type', 'json'];
  const { stdout } = await execa(process.execPath, args, { cwd: project, reject: false });
  const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } };
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort();
}

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string; readonly severity: string };
}

/** A project of these files, removed when disposed of. */
async function project(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'quayside-layers-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const NOTHING = 'export const nothing = 0;\n';

describe('the layers', () => {
  it('are kept by the project itself', async () => {
    const { exitCode, stdout } = await execa(
      process.execPath,
      [CRUISER, '.', '--config', TABLE, '--output-type', 'err'],
      { cwd: PROJECT, reject: false },
    );
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
  });

  it('refuse an import that runs up, past a layer, or of a type where none is known', async () => {
    await using on = await project({
      'server/engine/up.ts': "import { nothing } from '../session/session.ts';\nnothing;\n",
      'server/session/session.ts': NOTHING,
      'server/web/past.ts': "import { nothing } from '../sandbox/host.ts';\nnothing;\n",
      'server/sandbox/host.ts': NOTHING,
      'server/class/value.ts': "import { nothing } from '../session/session.ts';\nnothing;\n",
      'server/class/type.ts':
        "import type { nothing } from '../session/session.ts';\nexport type A = typeof nothing;\n",
      'server/base/up.ts':
        "import type { nothing } from '../engine/up.ts';\nexport type B = typeof nothing;\n",
    });
    expect(await refusals(on.folder)).toEqual([
      'server/base: server/base/up.ts → server/engine/up.ts',
      'server/class-types: server/class/value.ts → server/session/session.ts',
      'server/engine: server/engine/up.ts → server/session/session.ts',
      'server/web: server/web/past.ts → server/sandbox/host.ts',
    ]);
  });

  it('refuse a circle, of types alone as well', async () => {
    await using on = await project({
      'server/checks/a.ts': "import type { B } from './b.ts';\nexport type A = B | 1;\n",
      'server/checks/b.ts': "import type { A } from './a.ts';\nexport type B = A | 2;\n",
    });
    const found = await refusals(on.folder);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toMatch(/^no-circle: /);
  });

  it('refuse what a lab, the protocol, a page or a test may not know', async () => {
    await using on = await project({
      'server/checks/runner.ts': NOTHING,
      'lab/kit.ts': "import { nothing } from '../server/checks/runner.ts';\nnothing;\n",
      'src/content/docs/labs/a/lab.ts':
        "import { nothing } from '../../../../client/other.ts';\nnothing;\n",
      'src/client/other.ts': NOTHING,
      'protocol/frame.ts': "import { nothing } from '../server/checks/runner.ts';\nnothing;\n",
      'src/client/page.ts': "import { nothing } from '../../server/checks/runner.ts';\nnothing;\n",
      'lab-test/walk.ts': "import { nothing } from '../server/checks/runner.ts';\nnothing;\n",
      'bench/measure.ts': "import { nothing } from '../tests/unit/stage.ts';\nnothing;\n",
      'tests/unit/stage.ts': NOTHING,
      'tests/unit/a.test.ts': "import { other } from '../../bench/other.ts';\nother;\n",
      'bench/other.ts': 'export const other = 0;\n',
    });
    expect(await refusals(on.folder)).toEqual([
      'lab-test: lab-test/walk.ts → server/checks/runner.ts',
      'lab: lab/kit.ts → server/checks/runner.ts',
      'lab: src/content/docs/labs/a/lab.ts → src/client/other.ts',
      'only-benches-import-benches: tests/unit/a.test.ts → bench/other.ts',
      'only-tests-import-tests: bench/measure.ts → tests/unit/stage.ts',
      'pages: src/client/page.ts → server/checks/runner.ts',
      'protocol: protocol/frame.ts → server/checks/runner.ts',
    ]);
  });

  it('refuse a sandbox made outside of capacity, and a library outside of its folder', async () => {
    await using on = await project({
      'server/sandbox/sandbox.ts': NOTHING,
      'server/session/live-sandbox.ts':
        "import { nothing } from '../sandbox/sandbox.ts';\nnothing;\n",
      'server/capacity/slot.ts': "import { nothing } from '../sandbox/sandbox.ts';\nnothing;\n",
      'server/class/class.ts': "import { DatabaseSync } from 'node:sqlite';\nDatabaseSync;\n",
      'server/store/database.ts': "import { DatabaseSync } from 'node:sqlite';\nDatabaseSync;\n",
      'server/session/ws.ts': "import { WebSocket } from 'ws';\nWebSocket;\n",
      'node_modules/ws/package.json': '{"name":"ws","version":"1.0.0","main":"index.js"}',
      'node_modules/ws/index.js': 'exports.WebSocket = 1;\n',
    });
    expect(await refusals(on.folder)).toEqual([
      'library-of-store: server/class/class.ts → node:sqlite',
      'library-of-web: server/session/ws.ts → node_modules/ws/index.js',
      'sandbox-by-capacity: server/session/live-sandbox.ts → server/sandbox/sandbox.ts',
    ]);
  });
});

describe('the files', () => {
  it('stand where they belong', async () => {
    expect(await layoutProblems(PROJECT)).toEqual([]);
  });

  it('are refused below server/ beside main.ts and app.ts, in a folder without a row, and under a name that is taken', async () => {
    await using on = await project({
      'server/main.ts': NOTHING,
      'server/app.ts': NOTHING,
      'server/loose.ts': NOTHING,
      'server/helpers/all.ts': NOTHING,
      'server/web/site.ts': NOTHING,
      'server/site/site.ts': NOTHING,
    });
    expect(await layoutProblems(on.folder)).toEqual([
      'server/helpers/all.ts is in no folder of dependency-cruiser.config.mjs',
      'server/loose.ts is in no folder of dependency-cruiser.config.mjs',
      'site.ts is there twice below server/: site/site.ts, web/site.ts',
    ]);
  });

  it('have their styles in style sheets, as far as they are pages', async () => {
    await using on = await project({
      'server/main.ts': NOTHING,
      'src/components/Styled.astro': '<p>text</p>\n<style>p { color: red }</style>\n',
      'src/components/Plain.astro': '<p>text</p>\n',
    });
    expect(await layoutProblems(on.folder)).toEqual([
      'src/components/Styled.astro has a <style>, which the linter does not read: import a .css',
    ]);
  });
});
