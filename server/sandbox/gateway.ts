import type { Lab } from '#lab';
import { needsInternet } from '../../lab/internet.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Dockerode, Engine } from '../engine/engine.ts';
import { engineCall } from '../engine/engine-call.ts';
import { LABEL, labelsOf, objectName, type Role, type SandboxLabels } from './labels.ts';
import type { LinkEndpoint } from './links.ts';
import { UNCONFINED } from './security-options.ts';

const MIB = 1024 ** 2;

/** What the gateway is called beside the hosts. No host can have the name. */
export const GATEWAY = 'internet_gateway';

/** Where hosts with internet ask for names: slirp4netns passes it on to the machine's resolver (images/gateway/rules.nft). */
export const RESOLVER = '198.18.0.3';

/** The program in the gateway that waits for it, and completes its wires. */
const WIRED = '/opt/quayside/wired';
/** It gives up after 20 s by itself. */
const WIRED_MS = 30_000;

/** 256 connections of 256 KiB in slirp4netns, and as much again for all else; it idles at 3 MiB. */
const MEMORY = 128 * MIB;
/** It has seven, and some more while the machine's addresses change. */
const PROCESSES = 64;
/** Sockets outlive what the rules count, those of UDP by minutes; each takes one of the machine's 28,000 ports. */
const FILES = 1_024;

/** With which internet sandboxes are made, where the operator allows it. */
export interface Internet {
  /** The built image of gateways. */
  readonly image: string;
  /** Who is asked for names, in the place of the machine's own resolver. */
  readonly resolver: string | undefined;
}

/** The networks of a lab, each a wire: those behind which a host with internet has its `eth1`, by the wire's number. */
function networksOf({ hosts }: Lab): readonly string[] {
  return [
    ...new Set(
      hosts.flatMap(({ hasInternet, interfaces: [first] }) =>
        hasInternet && first ? [first.network] : [],
      ),
    ),
  ];
}

/** The gateway's address on a network of the lab, whose own addresses it leaves alone; none, where it is not on that. */
export function gatewayOn(lab: Lab, network: string): string | undefined {
  const number = networksOf(lab).indexOf(network);
  return number === -1 ? undefined : `198.18.1.${number + 1}`;
}

/** What links the gateway. @param bridgeOf the bridge of a network in the switch */
export function gatewayEndpoints(
  lab: Lab,
  pid: number,
  bridgeOf: (network: string) => string,
): readonly LinkEndpoint[] {
  return networksOf(lab).map((network, index) => ({
    pid,
    interface: `lab${index}`,
    address: `${gatewayOn(lab, network)}/32`,
    bridge: bridgeOf(network),
  }));
}

/** The container through which a sandbox's hosts reach the internet (docs/decisions/0048-internet.md). */
export function gatewayOptions(
  labels: SandboxLabels,
  { image, resolver }: Internet,
): Dockerode.ContainerCreateOptions {
  return {
    name: objectName(labels, GATEWAY),
    Image: image,
    Labels: labelsOf(labels, 'gateway'),
    ...(resolver !== undefined && { Env: [`QUAYSIDE_RESOLVER=${resolver}`] }),
    HostConfig: {
      // Its first program leaves it at once; slirp4netns has its sockets there.
      NetworkMode: 'host',
      CapDrop: ['ALL'],
      // To make a namespace and what is in it. slirp4netns gives up all but the last, for which it needs the third.
      CapAdd: ['SYS_ADMIN', 'NET_ADMIN', 'SETPCAP', 'NET_BIND_SERVICE'],
      // Docker's profile keeps slirp4netns from shutting itself in, which it does with a profile of its own.
      SecurityOpt: [...UNCONFINED, 'seccomp=unconfined'],
      Devices: [
        { PathOnHost: '/dev/net/tun', PathInContainer: '/dev/net/tun', CgroupPermissions: 'rw' },
      ],
      Tmpfs: { '/run': 'size=1m' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      Memory: MEMORY,
      MemorySwap: MEMORY,
      PidsLimit: PROCESSES,
      CpuShares: 256,
      Ulimits: [{ Name: 'nofile', Soft: FILES, Hard: FILES }],
    },
  };
}

/**
 * Settles when a gateway may be linked, and once it is, when its links lead where they should.
 *
 * @param lab once its links are there: the lab
 * @throws the signal's reason; QuaysideError SANDBOX_FAILED with what it said
 */
export async function gatewayReady(
  engine: Engine,
  container: string,
  signal: AbortSignal,
  lab?: Lab,
): Promise<void> {
  const argv = [WIRED, ...(lab ? networksOf(lab) : [])];
  const { status, stdout, stderr } = await engineCall(
    signal,
    (abortSignal) => engine.run(container, argv, { signal: abortSignal }),
    WIRED_MS,
  );
  if (status === 0) return;
  const words = `${stdout}${stderr}`.trim() || 'it said nothing';
  throw new QuaysideError(
    'SANDBOX_FAILED',
    `The way to the internet could not be made: ${words}`,
    'Try again. If it happens again, read what it logs: docker logs $(docker ps -ql --filter label=quayside.role=gateway)',
  );
}

/** Removes every gateway of this server: no host reaches the internet any more. Gone already is success. @throws whatever the engine said */
export async function removeGateways({ docker }: Engine, instance: string): Promise<void> {
  const label = [`${LABEL.instance}=${instance}`, `${LABEL.role}=${'gateway' satisfies Role}`];
  const gateways = await docker.listContainers({ all: true, filters: { label } });
  // HTTP 409: its removal is under way.
  const isGone = ({ statusCode = 0 }: { readonly statusCode?: number }) =>
    [404, 409].includes(statusCode);
  await Promise.all(
    gateways.map(({ Id }) =>
      docker
        .getContainer(Id)
        .remove({ force: true, v: true })
        .catch((error: { readonly statusCode?: number }) => {
          if (!isGone(error)) throw error;
        }),
    ),
  );
}

/** Why a lab is not started here; `undefined` where it is. */
export function refusalOf(lab: Lab, internet: Internet | undefined): QuaysideError | undefined {
  if (internet || !needsInternet(lab)) return undefined;
  return new QuaysideError(
    'INTERNET_REFUSED',
    'The hosts of this lab need the internet, and this server does not allow it.',
    'Whoever runs the server can allow it: npm start -- --internet. For npm run dev and lab:test: QUAYSIDE_INTERNET=1',
  );
}
