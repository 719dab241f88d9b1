/** The Debian releases that a disk is made of. */
export type Release = 'bookworm' | 'trixie';

/** The two ways to boot: on the kernel of this machine, in namespaces, or on a kernel of its own, user-mode Linux. */
export type Kernel = 'shared' | 'uml';

/** A machine of somebody who starts Quayside. */
export interface Definition {
  /** What its line in the table says. */
  readonly what: string;
  readonly release: Release;
  /** Who types; `learner` is an ordinary user. */
  readonly user: 'root' | 'learner';
  /** Typed by root before Quayside is there: what its owner has set up. */
  readonly setUp: readonly string[];
  /** Typed by the user before Quayside is there. */
  readonly userSetUp?: readonly string[];
  /** The base of all images is there: no registry is reached here, and only root can make it without one. */
  readonly hasBase: boolean;
  /** What the user has in the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The sentence that refuses it, where it is to be refused. */
  readonly refusal?: RegExp;
}

const INSTALL = 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends';
const DEBIAN_ENGINE = ['apt-get update', `${INSTALL} docker.io docker-cli iptables`];
/** Debian’s newest engine on a stable machine: its packages are taken only where they are asked for. */
const NEWEST_ENGINE = [
  // Where its own release came from, sid is too.
  `sed -nE 's/^deb (\\[[^]]*\\] )?([^ ]+) .*/deb [check-valid-until=no] \\2 sid main/p' /etc/apt/sources.list | head -n 1 >/etc/apt/sources.list.d/sid.list`,
  'printf "Package: *\\nPin: release n=sid\\nPin-Priority: 100\\n" >/etc/apt/preferences.d/sid',
  'apt-get update',
  `${INSTALL} -t sid docker.io docker-cli iptables`,
];
const OWN_SOCKET = 'DOCKER_HOST=unix:///run/user/$(id -u)/docker.sock';

const engineSetting = (setting: object): string =>
  `mkdir -p /etc/docker && echo '${JSON.stringify(setting)}' >/etc/docker/daemon.json`;

/** Every machine that can be named. */
export const MACHINES = {
  'debian-13': {
    what: 'Debian 13, root, no engine: set-up installs its own',
    release: 'trixie',
    user: 'root',
    setUp: [],
    hasBase: false,
  },
  'debian-13-user': {
    what: 'Debian 13, an ordinary user in the group docker, engine 26',
    release: 'trixie',
    user: 'learner',
    setUp: [...DEBIAN_ENGINE, 'usermod -aG docker learner'],
    hasBase: true,
  },
  'debian-13-engine-28': {
    what: 'Debian 13 with the engine 28 of sid, root',
    release: 'trixie',
    user: 'root',
    setUp: NEWEST_ENGINE,
    hasBase: true,
  },
  'containerd-store': {
    what: 'Engine 28 with containerd’s image store, as engine 29 has it',
    release: 'trixie',
    user: 'root',
    setUp: [engineSetting({ features: { 'containerd-snapshotter': true } }), ...NEWEST_ENGINE],
    hasBase: true,
  },
  'userns-remap': {
    what: 'Engine 26 with "userns-remap": "default"',
    release: 'trixie',
    user: 'root',
    setUp: [engineSetting({ 'userns-remap': 'default' }), ...DEBIAN_ENGINE],
    hasBase: true,
    refusal: /userns-remap/,
  },
  rootless: {
    what: 'Engine 26 rootless, an ordinary user',
    release: 'trixie',
    user: 'learner',
    setUp: [
      ...DEBIAN_ENGINE,
      `${INSTALL} rootlesskit slirp4netns uidmap dbus-user-session fuse-overlayfs`,
      // Debian’s tool looks for the command beside itself.
      'ln -s /usr/bin/docker /usr/share/docker.io/contrib/docker',
      'systemctl disable --now docker.service docker.socket',
      'loginctl enable-linger learner',
    ],
    userSetUp: [
      'for i in $(seq 100); do [ -S /run/user/$(id -u)/bus ] && break; sleep 0.1; done',
      'export XDG_RUNTIME_DIR=/run/user/$(id -u); export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus PATH=$PATH:/usr/sbin:/sbin:/usr/share/docker.io/contrib; dockerd-rootless-setuptool.sh install --skip-iptables',
      `echo 'export ${OWN_SOCKET}' >>~/.profile`,
    ],
    hasBase: true,
    refusal: /rootless/i,
  },
  'debian-12': {
    what: 'Debian 12, root, engine 20.10, Node 20 of npm',
    release: 'bookworm',
    user: 'root',
    setUp: [
      'apt-get update',
      `${INSTALL} docker.io iptables`,
      // The release has Node 18.
      'npm install --global node@20',
    ],
    hasBase: true,
  },
  podman: {
    what: 'Debian 13, podman’s socket in the engine’s place, root',
    release: 'trixie',
    user: 'root',
    setUp: [
      'apt-get update',
      `${INSTALL} podman crun netavark aardvark-dns`,
      'systemctl enable --now podman.socket',
    ],
    hasBase: true,
    environment: { DOCKER_HOST: 'unix:///run/podman/podman.sock' },
    refusal: /podman/i,
  },
} as const satisfies Readonly<Record<string, Definition>>;

/** A machine’s name, as it is typed. */
export type MachineName = keyof typeof MACHINES;

export const MACHINE_NAMES = Object.keys(MACHINES) as readonly MachineName[];
