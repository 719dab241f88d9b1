/**
 * `npm run doctor`: what Quayside finds when it looks at the engine and the machine, and what to type where something is
 * in the way. Ends with 1 where `npm start` would be refused. `npm run -s doctor -- --report` prints it for a report.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { runningEngine } from '../engine/find.ts';
import { type Finding, judge } from '../engine/judge.ts';
import { type EngineLook, lookAt } from '../engine/look.ts';
import { assertPossible, ownEngineAddress, USUAL_ADDRESS } from '../engine/own-engine.ts';
import { isInstalled } from '../engine/packages.ts';
import { linesOf, reportOf } from './doctor-text.ts';
import { runProgram } from './failure.ts';
import { programOptions } from './program-options.ts';

const PROJECT = resolve(import.meta.dirname, '../..');

/** What was found, and of which engine. */
interface Found {
  readonly engine: Engine | undefined;
  readonly look: EngineLook | undefined;
  readonly findings: readonly Finding[];
}

await runProgram(async () => {
  const { report = false } = programOptions(import.meta.filename, {
    options: { report: { type: 'boolean' } },
  }).values;
  const { engine, look, findings } = await examine();
  const lines = report
    ? reportOf({ ...(await system()), look })
    : [`The engine: ${engine?.address ?? 'none answers'}`];
  for (const line of [...lines, ...linesOf(report ? unnamed(findings, look) : findings)]) {
    console.log(line);
  }
  if (findings.some(({ severity }) => severity === 'refuse')) process.exitCode = 1;
});

async function examine(): Promise<Found> {
  let engine: Engine | undefined;
  try {
    engine = await runningEngine(process.env);
    if (!engine) return { engine, look: undefined, findings: [await withoutEngine()] };
    const look = await lookAt(engine);
    return { engine, look, findings: judge(look) };
  } catch (error) {
    return { engine, look: undefined, findings: [refusal(error)] };
  }
}

/** What `npm start` would do where no engine answers. */
async function withoutEngine(): Promise<Finding> {
  await assertPossible();
  const tried = `No Docker Engine answers: not the one of the docker command’s context, not ${USUAL_ADDRESS}, not Quayside’s own.`;
  const does = isInstalled('dockerd') ? 'start' : 'install docker.io and start';
  return {
    severity: 'warning',
    what: `${tried} A start would ${does} one at ${ownEngineAddress()}.`,
    remedy: 'npm start',
  };
}

function refusal(error: unknown): Finding {
  const remedy = error instanceof QuaysideError ? error.remedy : 'docker info';
  return { severity: 'refuse', what: messageOf(error), remedy };
}

/** For a report: without the paths and addresses that findings name. */
function unnamed(findings: readonly Finding[], look: EngineLook | undefined): readonly Finding[] {
  const names = [look?.info.DockerRootDir, look?.address, process.env.DOCKER_HOST].filter(Boolean);
  return findings.map(({ severity, what }) => ({
    ...{ severity, remedy: '' },
    what: names.reduce<string>((text, name) => text.replaceAll(name ?? '', '…'), what),
  }));
}

async function system() {
  const file = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const os = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name = process.platform] = /^PRETTY_NAME="?([^"\n]+)/m.exec(os) ?? [];
  return {
    quayside: file.version,
    node: process.version,
    system: `${name}, ${process.platform} ${release()} ${process.arch}`,
  };
}
